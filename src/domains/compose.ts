import { fileURLToPath } from 'node:url';
import type { PeriodicTask, Route, SessionLookup } from '../core/index.ts';
import { createActivityRecorder, createActivityStore } from './activity/index.ts';
import { createSeenSessions, createSessionStore } from './auth/index.ts';
import type { Domain, DomainTools } from './domain.ts';
import * as all from './index.ts';

const DOMAINS: readonly Domain[] = Object.values(all);

/** Where the migrations of the domains lie. */
export const MIGRATION_FOLDERS = DOMAINS.flatMap(({ migrations }) =>
  migrations === undefined ? [] : [fileURLToPath(migrations)],
);

/** The Mongo collections of the domains, by which metrics may name them. */
export const COLLECTIONS = DOMAINS.flatMap(({ collections = [] }) => collections);

export type Domains = {
  routes: readonly Route[];
  tasks: readonly PeriodicTask[];
  sessions: SessionLookup;
  /** Makes the indexes of the document store; may fail while it is away. */
  prepareMongo(): Promise<void>;
  /** Resolves once what the domains do on the side is done. */
  drain(): Promise<void>;
};

/** Puts the domains together. */
export function createDomains(tools: Omit<DomainTools, 'activity' | 'sessions'>): Domains {
  const activity = createActivityRecorder(createActivityStore(tools.mongo.db));
  const sessions = createSessionStore(tools.database);
  const seen = createSeenSessions(sessions);
  const parts = DOMAINS.map(({ create }) => create({ ...tools, activity, sessions }));
  return {
    routes: parts.flatMap(({ routes = [] }) => routes),
    tasks: [...parts.flatMap(({ tasks = [] }) => tasks), seen.task],
    sessions: seen.lookup,
    async prepareMongo() {
      await Promise.all(parts.map((each) => each.prepareMongo?.()));
    },
    async drain() {
      await Promise.all([activity.drain(), seen.drain()]);
    },
  };
}
