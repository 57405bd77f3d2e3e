import type { Cursors, JwtService, Mailer, PasswordSecurity, PeriodicTask, Route, Settings } from '../core/index.ts';
import type { Mongo } from '../db/mongo/client.ts';
import type { Database } from '../db/postgres/database.ts';
import type { ActivityRecorder } from './activity/index.ts';
import type { AccountMails, SessionStore } from './auth/index.ts';

/** What is made once for the whole process and handed to every domain. */
export type DomainTools = {
  settings: Settings;
  /** Statements on the pool, transactions, and what others notify of. */
  database: Pick<Database, 'query' | 'transaction' | 'listen'>;
  /** The document store. */
  mongo: Pick<Mongo, 'db' | 'ping'>;
  /** The sessions of users. */
  sessions: SessionStore;
  /** What is mailed when an account changes. */
  accountMails: AccountMails;
  /** Takes note of what users did. */
  activity: ActivityRecorder;
  passwords: PasswordSecurity;
  tokens: JwtService;
  /** Sends mail, outside of requests. */
  mailer: Mailer;
  cursors: Cursors;
};

/** What a domain brings. Its routes are served below `/api`. */
export type DomainParts = {
  routes?: readonly Route[];
  /** Started with the application, stopped with it. */
  tasks?: readonly PeriodicTask[];
  /** Makes the indexes of its collections; called again until it has succeeded. */
  prepareMongo?(): Promise<void>;
};

/** A domain: what has to be known of it before anything is opened, and how its parts are put together. */
export type Domain = {
  /** The folder of its migrations: `new URL('./migrations', import.meta.url)`. */
  migrations?: URL;
  /** Its Mongo collections, by which metrics may name them. */
  collections?: readonly string[];
  create(tools: DomainTools): DomainParts;
};
