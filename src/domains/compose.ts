import { fileURLToPath } from 'node:url';
import type { PeriodicTask, Route, SessionLookup } from '../core/index.ts';
import { createOutbox } from '../db/outbox/outbox.ts';
import {
  createActivityReceiver,
  createActivityRecorder,
  createActivityStore,
  createRefusals,
} from './activity/index.ts';
import { createAccountMails, createSeenSessions, createSessionStore } from './auth/index.ts';
import type { Domain, DomainTools } from './domain.ts';
import * as all from './index.ts';

const DOMAINS: readonly Domain[] = Object.values(all);

const OUTBOX_MIGRATIONS = new URL('../db/outbox/migrations', import.meta.url);

/** Where the migrations of the domains and of the outbox lie. */
export const MIGRATION_FOLDERS = [OUTBOX_MIGRATIONS, ...DOMAINS.map(({ migrations }) => migrations)].flatMap(
  (folder) => (folder === undefined ? [] : [fileURLToPath(folder)]),
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

const PING_WITHIN_MS = 2_000;

/** Puts the domains together. */
export function createDomains(tools: Omit<DomainTools, 'activity' | 'sessions' | 'accountMails'>): Domains {
  const { database, mongo, settings } = tools;
  const receiver = createActivityReceiver(createActivityStore(mongo.db), () => mongo.ping(PING_WITHIN_MS));
  const outbox = createOutbox({ database, receiver, max: settings.outboxMax });
  const refusals = createRefusals(database, outbox);
  const activity = createActivityRecorder(refusals);
  const sessions = createSessionStore(database);
  const seen = createSeenSessions(sessions);
  const accountMails = createAccountMails(tools.mailer);
  const parts = DOMAINS.map(({ create }) => create({ ...tools, activity, sessions, accountMails }));
  return {
    routes: parts.flatMap(({ routes = [] }) => routes),
    tasks: [...parts.flatMap(({ tasks = [] }) => tasks), seen.task, refusals.task, ...outbox.tasks],
    sessions: seen.lookup,
    async prepareMongo() {
      await Promise.all(parts.map((each) => each.prepareMongo?.()));
    },
    async drain() {
      await Promise.all([refusals.drain(), seen.drain(), outbox.close()]);
    },
  };
}
