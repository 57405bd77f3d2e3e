import { fileURLToPath } from 'node:url';
import type { Cursors, JwtService, PasswordSecurity, Route, SessionLookup, Settings } from '../core/index.ts';
import type { Mongo } from '../db/mongo/client.ts';
import type { Database } from '../db/postgres/database.ts';
import {
  ACTIVITY_COLLECTION,
  createActivityRecorder,
  createActivityRoutes,
  createActivityService,
  createActivityStore,
} from './activity/index.ts';
import { createAuthRoutes, createAuthService, createSessionStore } from './auth/index.ts';
import { createUserRoutes, createUserStore } from './users/index.ts';

/** Where the migrations of the domains lie. */
export const MIGRATION_FOLDERS = ['users', 'auth'].map((domain) =>
  fileURLToPath(new URL(`./${domain}/migrations`, import.meta.url)),
);

/** The Mongo collections of the domains, by which metrics may name them. */
export const COLLECTIONS = [ACTIVITY_COLLECTION];

export type DomainTools = {
  settings: Settings;
  database: Database;
  mongo: Mongo;
  passwords: PasswordSecurity;
  tokens: JwtService;
  cursors: Cursors;
};

export type Domains = {
  routes: Route[];
  sessions: SessionLookup;
  /** Makes the indexes of the document store; may fail while it is away. */
  prepareMongo(): Promise<void>;
  /** Resolves once what the domains do on the side is done. */
  drain(): Promise<void>;
};

/** Puts the domains together. A new one is a folder beside this file and its lines here. */
export function createDomains({ settings, database, mongo, passwords, tokens, cursors }: DomainTools): Domains {
  const users = createUserStore(database);
  const sessions = createSessionStore(database);
  const events = createActivityStore(mongo.db);
  const activity = createActivityRecorder(events);
  const auth = createAuthService({
    users,
    sessions,
    passwords,
    tokens,
    activity,
    accessTokenTtlSeconds: settings.accessTokenTtlSeconds,
    sessionTtlSeconds: settings.sessionTtlSeconds,
  });
  return {
    routes: [
      ...createAuthRoutes(auth),
      ...createUserRoutes(),
      ...createActivityRoutes(createActivityService(events, cursors)),
    ],
    sessions,
    prepareMongo: () => events.createIndexes(),
    drain: () => activity.drain(),
  };
}
