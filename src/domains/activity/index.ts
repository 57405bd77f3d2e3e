export { type Activity, type ActivityRecorder, createActivityRecorder } from './recorder.ts';
export { createActivityRoutes } from './routes.ts';
export { createActivityService } from './service.ts';
export { ACTIVITY_COLLECTION, type ActivityStore, createActivityStore } from './store.ts';
