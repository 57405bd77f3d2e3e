import type { Domain } from '../domain.ts';
import { createErasureTask } from './erasure.ts';
import { createActivityRoutes } from './routes.ts';
import { createActivityService } from './service.ts';
import { ACTIVITY_COLLECTION, createActivityStore } from './store.ts';

/** What users did, and how they read it. */
export const activityDomain: Domain = {
  collections: [ACTIVITY_COLLECTION],
  migrations: new URL('./migrations', import.meta.url),
  create({ database, mongo, cursors }) {
    const events = createActivityStore(mongo.db);
    return {
      routes: createActivityRoutes(createActivityService(events, cursors)),
      tasks: [createErasureTask(database, events)],
      prepareMongo: () => events.createIndexes(),
    };
  },
};
