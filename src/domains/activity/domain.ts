import type { Domain } from '../domain.ts';
import { createActivityRoutes } from './routes.ts';
import { createActivityService } from './service.ts';
import { ACTIVITY_COLLECTION, createActivityStore } from './store.ts';

const DAY_SECONDS = 86_400;

/** What users did, and how they read it. */
export const activityDomain: Domain = {
  collections: [ACTIVITY_COLLECTION],
  migrations: new URL('./migrations', import.meta.url),
  create({ settings, mongo, cursors }) {
    const events = createActivityStore(mongo.db);
    return {
      routes: createActivityRoutes(createActivityService(events, cursors)),
      prepareMongo: () => events.createIndexes(settings.activityRetentionDays * DAY_SECONDS),
    };
  },
};
