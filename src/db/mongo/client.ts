import { type Db, MongoClient } from 'mongodb';
import { observeCommands } from './timing.ts';

const SELECT_TIMEOUT_MS = 2_000;
const SOCKET_TIMEOUT_MS = 10_000;

/** MongoDB as the domains know it. */
export type Mongo = {
  readonly db: Db;
  /** Rejects when the server does not answer within `timeoutMs`. */
  ping(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
};

/**
 * The Mongo client. It connects by itself at the first use and again after a loss; a server that is away makes an
 * operation fail after two seconds, never the process. `collections` are the ones that metrics may name.
 */
export function createMongo(
  url: string,
  database: string,
  applicationName: string,
  collections: readonly string[],
): Mongo {
  const client = new MongoClient(url, {
    appName: applicationName,
    serverSelectionTimeoutMS: SELECT_TIMEOUT_MS,
    connectTimeoutMS: SELECT_TIMEOUT_MS,
    socketTimeoutMS: SOCKET_TIMEOUT_MS,
    waitQueueTimeoutMS: SELECT_TIMEOUT_MS,
    maxPoolSize: 20,
    monitorCommands: true,
    ignoreUndefined: true,
  });
  observeCommands(client, collections);
  return {
    db: client.db(database),
    ping: async (timeoutMs) => {
      await client.db(database).command({ ping: 1 }, { timeoutMS: timeoutMs });
    },
    close: () => client.close(),
  };
}
