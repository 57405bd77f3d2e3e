export { activityDomain } from './domain.ts';
export { requestErasure } from './erasure.ts';
export { type Activity, type ActivityRecorder, createActivityRecorder } from './recorder.ts';
export { ActivityView } from './schemas.ts';
export { type ActivityPage, type ActivityService, createActivityService } from './service.ts';
export { type ActivityStore, createActivityStore } from './store.ts';
export { toActivityView } from './view.ts';
