import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartupError } from '../../../core/errors/startup-error.ts';
import { type ProcessEnd, startWatched, type WatchedProcess } from '../watched-process.ts';
import { ensurePassword } from './password.ts';
import { USER } from './scram.ts';

export interface EmbeddedMongoLaunch {
  /** `DATA_DIR`: the data goes to `mongo/` in it, the password to `keys/`. */
  dataDir: string;
  /** Told what is being done, for whoever waits. */
  onStep?(step: string): void;
  /** How often expired documents are looked for; a minute, as by MongoDB, when not given. In milliseconds. */
  sweepEveryMs?: number;
}

export interface EmbeddedMongo {
  readonly port: number;
  readonly pid: number;
  /** The connection string for a database; it holds the password. */
  url(database: string): string;
  /** Ends the server after the commands under way. Safe to call again. */
  stop(): Promise<void>;
  /** Settles when the server has ended for whatever reason. */
  readonly exited: Promise<ProcessEnd>;
}

/** Above the ten seconds for which the server waits for an older one on the same data. */
const READY_MS = 15_000;
const GRACE_MS = 1_000;

/**
 * Starts the embedded Mongo server as a child process that cannot outlive this one.
 * @throws StartupError when it does not start: the data is in use, or cannot be written.
 */
export async function startEmbeddedMongo(options: EmbeddedMongoLaunch): Promise<EmbeddedMongo> {
  const { dataDir, onStep } = options;
  onStep?.('Starting the embedded Mongo server');
  try {
    const folder = join(dataDir, 'mongo');
    const passwordFile = join(dataDir, 'keys', 'mongo-password');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const password = await ensurePassword(passwordFile);
    const { server, port } = await launch(join(folder, 'data.sqlite'), passwordFile, options.sweepEveryMs ?? 60_000);
    return {
      port,
      pid: server.pid,
      url: (database) =>
        `mongodb://${USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}` +
        '?authSource=admin&authMechanism=SCRAM-SHA-256&directConnection=true',
      stop: () => server.stop(),
      exited: server.exited,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(
      `The embedded Mongo server did not start: ${reason}. Change DATA_DIR (${dataDir}), or set MONGO_URL to use a server of your own.`,
      { cause: error },
    );
  }
}

async function launch(
  file: string,
  passwordFile: string,
  sweepEveryMs: number,
): Promise<{ server: WatchedProcess; port: number }> {
  const ready = Promise.withResolvers<number>();
  const server = await startWatched({
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      program(),
      ...['--file', file, '--password-file', passwordFile, '--sweep-every-ms', String(sweepEveryMs)],
    ],
    watchdog: 'own',
    graceMs: GRACE_MS,
    // Nothing of NODE_OPTIONS: the telemetry of the service is not meant for its store.
    env: { PATH: process.env['PATH'], LD_LIBRARY_PATH: process.env['LD_LIBRARY_PATH'] },
    onStdoutLine: (line) => ready.resolve(portOf(line)),
  });
  const timer = setTimeout(() => ready.reject(new Error(`it was not ready after ${READY_MS / 1000} s`)), READY_MS);
  void server.exited.then(({ code, signal }) => {
    ready.reject(new Error(server.stderrTail().at(-1) ?? `it ended with ${signal ?? `code ${code}`}`));
  });
  try {
    return { server, port: await ready.promise };
  } catch (error) {
    await server.stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function portOf(line: string): number {
  return Number((JSON.parse(line) as { port: unknown }).port);
}

/** `main.ts` where the sources run, `main.js` after a build. */
function program(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./main.${extension}`, import.meta.url));
}
