import { lockDataDir, prepareDataDir } from './lock.ts';
import { startEmbeddedPostgres } from './postgres.ts';
import type { ProcessEnd } from './watched-process.ts';

export interface EmbeddedStoresOptions {
  /** Made when missing. Holds `postgres`, `mongo` and `keys`. */
  dataDir: string;
  /** Databases that must exist; undefined when PostgreSQL is not wanted. */
  postgres: { databases: readonly string[] } | undefined;
  mongo: boolean;
  /** The database in `mongoUrl`. */
  mongoDb: string;
  /** Told what is going on when it may take more than a moment. */
  onStep(message: string): void;
  /** Calls the start off: what has been started is ended, and the reason is thrown. */
  signal?: AbortSignal;
}

export interface EmbeddedStores {
  /** The connection string of a PostgreSQL database, password included; there when PostgreSQL was asked for. */
  databaseUrl?(database: string): string;
  /** There when Mongo was asked for. */
  mongoUrl?: string;
  /** Ends the stores, then lets go of the data folder. Safe to call again. */
  stop(): Promise<void>;
  /** Resolves, with a line for the log, when a store ends without having been stopped. */
  readonly crashed: Promise<string>;
}

/** A killed process keeps its locks for a moment. */
const LOCK_WITHIN_MS = 1_000;

interface Store {
  stop(): Promise<void>;
  exited: Promise<ProcessEnd>;
}

/**
 * Starts the stores for which no address is configured, as processes of their own that end with this one, and takes
 * the data folder for itself meanwhile. All of them, or none: when one fails, the other is stopped.
 * @throws StartupError when the folder is in use, or a store cannot run.
 */
export async function startEmbeddedStores(options: EmbeddedStoresOptions): Promise<EmbeddedStores> {
  const { postgres: wanted, onStep, signal } = options;
  const dataDir = await prepareDataDir(options.dataDir);
  const lock = await lockDataDir(dataDir, { waitMs: LOCK_WITHIN_MS });
  const running = new Map<string, Store>();
  let ending: Promise<void> | undefined;
  const stop = () => {
    ending ??= stopAll(running.values()).finally(lock.release);
    return ending;
  };
  const keep = <T extends Store>(name: string, store: T): T => {
    running.set(name, store);
    return store;
  };
  const [postgres, mongo] = await Promise.allSettled([
    wanted &&
      startEmbeddedPostgres({ dataDir, databases: wanted.databases, onStep, ...(signal && { signal }) }).then((store) =>
        keep('PostgreSQL', store),
      ),
    options.mongo ? startMongo(dataDir, onStep).then((store) => keep('Mongo', store)) : undefined,
  ]);
  if (postgres.status === 'rejected' || mongo.status === 'rejected' || signal?.aborted) {
    await stop();
    signal?.throwIfAborted();
    throw postgres.status === 'rejected' ? postgres.reason : mongo.status === 'rejected' && mongo.reason;
  }
  return {
    ...(postgres.value && { databaseUrl: postgres.value.url }),
    ...(mongo.value && { mongoUrl: mongo.value.url(options.mongoDb) }),
    stop,
    crashed: firstCrash(running, () => ending !== undefined),
  };
}

/** Loaded only when it is needed: with a configured Mongo there is no reason to have its parts installed. */
async function startMongo(dataDir: string, onStep: (message: string) => void) {
  const { startEmbeddedMongo } = await import('./mongo/launch.ts');
  return startEmbeddedMongo({ dataDir, onStep });
}

async function stopAll(stores: Iterable<Store>): Promise<void> {
  const results = await Promise.allSettled([...stores].map((store) => store.stop()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

function firstCrash(running: ReadonlyMap<string, Store>, isEnding: () => boolean): Promise<string> {
  return new Promise((resolve) => {
    for (const [name, { exited }] of running) {
      void exited.then(({ code, signal }) => {
        if (!isEnding()) resolve(`The embedded ${name} has ended (${signal ?? `exit code ${code}`})`);
      });
    }
  });
}
