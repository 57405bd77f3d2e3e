import { type Db, MongoClient, type MongoClientOptions, MongoTopologyClosedError } from 'mongodb';
import { StartupError } from '../../core/errors/startup-error.ts';
import { observeCommands } from './timing.ts';

const SELECT_TIMEOUT_MS = 2_000;
const SOCKET_TIMEOUT_MS = 10_000;
// Waiting for one of our own connections says nothing of the server: how many may wait is bounded by MAX_IN_FLIGHT.
const QUEUE_TIMEOUT_MS = 10_000;

/** MongoDB as the domains know it. */
export type Mongo = {
  readonly db: Db;
  /** Rejects when the server does not answer within `timeoutMs`. Begins to connect anew where the driver has given up. */
  ping(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
};

/**
 * The Mongo client. It connects by itself at the first use and again after a loss; after a first time that failed, with
 * the next ping. A server that is away makes an operation fail after two seconds, never the process. `collections` are
 * the ones that metrics may name.
 * Throws `StartupError` when the driver does not take the URL.
 */
export function createMongo(
  url: string,
  database: string,
  applicationName: string,
  collections: readonly string[],
): Mongo {
  const client = connectTo(url, {
    appName: applicationName,
    serverSelectionTimeoutMS: SELECT_TIMEOUT_MS,
    connectTimeoutMS: SELECT_TIMEOUT_MS,
    socketTimeoutMS: SOCKET_TIMEOUT_MS,
    waitQueueTimeoutMS: QUEUE_TIMEOUT_MS,
    maxPoolSize: 20,
    monitorCommands: true,
    ignoreUndefined: true,
  });
  observeCommands(client, collections);
  const db = client.db(database);
  let isClosed = false;
  return {
    db,
    async ping(timeoutMs) {
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        await db.command({ ping: 1 }, { signal });
      } catch (error) {
        // When its first connection fails, the driver closes for good what it looks for servers with, and keeps it.
        if (!(error instanceof MongoTopologyClosedError) || isClosed) throw error;
        await unlessAborted(signal, client.connect());
        await db.command({ ping: 1 }, { signal });
      }
    },
    close() {
      isClosed = true;
      return client.close();
    },
  };
}

/** What `work` comes to, or the reason of the signal when that is first. */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener('abort', () => reject(signal.reason));
  return Promise.race([work, promise]);
}

/** Throws `StartupError` when the driver does not take the URL: asked before anything slow is started. */
export function assertMongoUrl(url: string): void {
  connectTo(url, {});
}

function connectTo(url: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(url, options);
  } catch {
    // The driver's own words may quote a piece of the URL, and with it of the password.
    throw new StartupError(
      'MONGO_URL must be a connection string such as mongodb://user:password@host:27017, with %40 for an @ in a name or password',
    );
  }
}
