export { activityDomain } from './domain.ts';
export { type Activity, type ActivityRecorder, createActivityRecorder } from './recorder.ts';
export { type ActivityStore, createActivityStore } from './store.ts';
