import type { Settings } from './core/config/index.ts';
import { assertMongoUrl } from './db/mongo/client.ts';

export type Stores = {
  databaseUrl: string;
  mongoUrl: string;
  /** Which setting to change when PostgreSQL cannot be reached. */
  postgresSetting: string;
  /** The stores that run embedded, by name. */
  embedded: string[];
  stop(): Promise<void>;
  /** Resolves when an embedded store ended by itself, to a line that says so. */
  crashed: Promise<string>;
};

/**
 * Where the stores are: at the configured addresses, else embedded and started here. The embedded ones are loaded only
 * when they are needed; a production image has none of their packages. When `signal` aborts, what has been started is
 * ended again. Throws `StartupError` when an address is none, or a store cannot be started.
 */
export async function openStores(
  settings: Settings,
  onStep: (message: string) => void,
  signal: AbortSignal,
): Promise<Stores> {
  const { databaseUrl, mongoUrl, databaseName, mongoDatabaseName, dataDir } = settings;
  const configured = {
    databaseUrl: databaseUrl ?? '',
    mongoUrl: mongoUrl ?? '',
    postgresSetting: settings.databaseUrlSetting === undefined ? 'POSTGRES_HOST' : 'DATABASE_URL',
  };
  if (mongoUrl !== undefined) assertMongoUrl(mongoUrl);
  if (databaseUrl !== undefined && mongoUrl !== undefined) {
    return { ...configured, embedded: [], stop: async () => undefined, crashed: new Promise(() => undefined) };
  }
  const { startEmbeddedStores } = await import('./db/embedded/index.ts');
  const stores = await startEmbeddedStores({
    dataDir,
    postgres: databaseUrl === undefined ? { databases: [databaseName] } : undefined,
    mongo: mongoUrl === undefined,
    mongoDb: mongoDatabaseName,
    onStep,
    signal,
  });
  return {
    databaseUrl: stores.databaseUrl?.(databaseName) ?? configured.databaseUrl,
    mongoUrl: stores.mongoUrl ?? configured.mongoUrl,
    postgresSetting: databaseUrl === undefined ? 'DATA_DIR' : configured.postgresSetting,
    embedded: [...(databaseUrl === undefined ? ['PostgreSQL'] : []), ...(mongoUrl === undefined ? ['Mongo'] : [])],
    stop: stores.stop,
    crashed: stores.crashed,
  };
}
