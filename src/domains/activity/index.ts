export { createActivityReceiver } from './delivery.ts';
export { activityDomain } from './domain.ts';
export { requestErasure } from './erasure.ts';
export {
  type Activity,
  type ActivityRecorder,
  createActivityRecorder,
  eventOf,
  type Refusal,
  recordActivity,
} from './recorder.ts';
export { createRefusals } from './refusals.ts';
export { ActivityView } from './schemas.ts';
export { type ActivityPage, type ActivityService, createActivityService } from './service.ts';
export { type ActivityStore, createActivityStore } from './store.ts';
export { toActivityView } from './view.ts';
