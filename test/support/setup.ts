import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { startLogging, stopLogger } from '../../src/core/logging/index.ts';
import { type EmbeddedStores, startEmbeddedStores } from '../../src/db/embedded/index.ts';
import { serviceProcesses } from './service.ts';
import { hasSharedStores, setSharedStores } from './stores.ts';

/**
 * One PostgreSQL and one Mongo-protocol server for the whole run, on ports and in a folder of their own: beside a
 * running `npm start` and beside another run. Each test that needs a database makes one in them.
 */
let stores: EmbeddedStores;
let endCleaner: () => Promise<void>;
/** A run that a test has started leaves stores and folder to the run of that test. */
const isInner = hasSharedStores();

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

export async function mochaGlobalSetup(): Promise<void> {
  if (isInner) return;
  mkdirSync('.test', { recursive: true });
  const folder = mkdtempSync(join(process.cwd(), '.test', 'run-'));
  endCleaner = cleanUpAfter(folder);
  process.env['OKAPI_TEST_FOLDER'] = folder;
  stores = await startEmbeddedStores({
    dataDir: join(folder, 'stores'),
    postgres: { databases: ['okapi_test'] },
    mongo: true,
    mongoDb: 'okapi_test',
    onStep: () => undefined,
  });
  setSharedStores({ databaseUrl: stores.databaseUrl?.('okapi_test') ?? '', mongoUrl: stores.mongoUrl ?? '' });
}

export async function mochaGlobalTeardown(): Promise<void> {
  if (isInner) return;
  await stores.stop();
  await endCleaner();
}

/** In each process of the run. */
export const mochaHooks = {
  /** What tests log by the way goes nowhere, and does not wait for the first test that starts logging. */
  async beforeAll(): Promise<void> {
    startLogging(
      {
        level: 'ERROR',
        dir: '',
        files: false,
        consoleFormat: 'json',
        colors: false,
        service: { name: 'test', version: '', environment: 'test', instance: '' },
      },
      { console: { isIdle: true, write: (bytes) => bytes.length } },
    );
    await stopLogger();
  },
  /** Ends the services that a failed test left behind. */
  async afterAll(): Promise<void> {
    await Promise.all([...serviceProcesses].map((service) => service.kill()));
  },
};

/** Removes the folder of this run once the run is over, however it ends: a process that waits for its stdin to close. */
function cleanUpAfter(folder: string): () => Promise<void> {
  const script =
    'cat >/dev/null; for i in 1 2 3 4 5 6 7 8; do rm -rf "$1" 2>/dev/null && break; sleep 0.5; done; rmdir .test 2>/dev/null';
  const cleaner = spawn('sh', ['-c', script, 'sh', folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  cleaner.unref();
  return async () => {
    const gone = once(cleaner, 'exit');
    cleaner.ref();
    cleaner.stdin.end();
    await gone;
  };
}
