import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartupError } from '../../core/errors/startup-error.ts';
import { giveTree } from './ownership.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { connectWhenReady, createDatabases, postgresUrl } from './postgres-connect.ts';
import { choosePostgresIdentity, type Identity, postgresEnv } from './postgres-identity.ts';
import { assertSameMajor, initialise, isInitialised } from './postgres-init.ts';
import { postgresPassword } from './postgres-password.ts';
import { previousServerGone } from './postgres-previous.ts';
import { serverArguments } from './postgres-settings.ts';
import { type ProcessEnd, startWatched, type WatchedProcess } from './watched-process.ts';

export interface EmbeddedPostgresOptions {
  /** The real path of an existing folder that the caller has locked; the server's own is `postgres` in it. */
  dataDir: string;
  /** Created when missing. */
  databases: readonly string[];
  /** Told what is going on when it may take more than a moment. */
  onStep(message: string): void;
  /** Calls the start off: soon after it aborts, nothing runs and the start has failed. */
  signal?: AbortSignal;
}

export interface EmbeddedPostgres {
  /** A connection string that holds the password. */
  url(database: string): string;
  readonly port: number;
  /** Ends the server in order; its open transactions are rolled back. */
  stop(): Promise<void>;
  /** Settles when the server has ended for whatever reason. */
  readonly exited: Promise<ProcessEnd>;
}

const PREVIOUS_GONE_WITHIN_MS = 10_000;
const RETRY_WITHIN_MS = 10_000;
const SHUTDOWN_GRACE_MS = 5_000;

/**
 * Starts the PostgreSQL that npm installed, on loopback and a free port, initialising its folder at first use. A
 * commit it has acknowledged is on disk. It ends with this process, also by `kill -9`.
 * @throws StartupError when it cannot run here, or on this folder.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await start(options, join(options.dataDir, 'postgres'));
  } catch (cause) {
    // The system's own refusals (a full disk, a missing right) can be mended by whoever starts it, and a bug cannot.
    if (!(cause instanceof Error && 'code' in cause && typeof cause.code === 'string')) throw cause;
    const [reason] = cause.message.split('\n');
    throw new StartupError(
      `The embedded PostgreSQL cannot be started (${reason}): set DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL server`,
      { cause },
    );
  }
}

async function start(options: EmbeddedPostgresOptions, folder: string): Promise<EmbeddedPostgres> {
  const { dataDir, onStep, signal } = options;
  const isNew = !(await isInitialised(folder));
  const { initdb, postgres } = await findPostgresBinaries();
  const identity = await choosePostgresIdentity({ dataDir, folder, postgres, needsName: isNew });
  const password = await postgresPassword(dataDir, isNew);
  if (isNew) {
    onStep(`Preparing an embedded PostgreSQL in ${folder}`);
    await initialise({ folder, initdb, identity, password, ...(signal && { signal }) });
  } else {
    await assertSameMajor(folder, identity.majorVersion);
    await previousServerGone(folder, { waitMs: PREVIOUS_GONE_WITHIN_MS, onStep, ...(signal && { signal }) });
    await giveTree(folder, identity.owner);
  }
  return serve({ ...options, folder, postgres, identity, password });
}

interface ServeOptions extends EmbeddedPostgresOptions {
  folder: string;
  postgres: string;
  identity: Identity;
  password: string;
}

/** Starts the server, again when its port was taken before it could, or the last processes of another were not gone. */
async function serve(options: ServeOptions): Promise<EmbeddedPostgres> {
  const { folder, password, onStep, signal } = options;
  const deadline = performance.now() + RETRY_WITHIN_MS;
  for (;;) {
    signal?.throwIfAborted();
    const port = await freePort();
    const server = await startServer(options, port);
    try {
      const onRecovery = () => onStep(`PostgreSQL is recovering ${folder}`);
      const client = await connectWhenReady({ port, password }, { exited: server.exited, onRecovery, signal });
      if (client) {
        await createDatabases(client, options.databases);
        const url = (database: string) => postgresUrl({ port, password }, database);
        return { url, port, stop: server.stop, exited: server.exited };
      }
    } catch (error) {
      await server.stop();
      throw error;
    }
    const said = server.stderrTail();
    if (!isPassing(said) || performance.now() >= deadline) throw ended(folder, said);
    await delay(100);
  }
}

function startServer({ postgres, identity, folder }: ServeOptions, port: number): Promise<WatchedProcess> {
  const [command = postgres, ...args] = [...identity.prefix, postgres, ...serverArguments(folder, port)];
  return startWatched({
    ...identity.user,
    command,
    args,
    watchdog: 'shell',
    graceMs: SHUTDOWN_GRACE_MS,
    cwd: '/',
    env: postgresEnv(),
  });
}

function isPassing(said: readonly string[]): boolean {
  return said.some((line) => /Address already in use|"postmaster\.pid" already exists|is still in use/.test(line));
}

function ended(folder: string, said: readonly string[]): StartupError {
  const reason = said.findLast((line) => /FATAL|PANIC|error/.test(line)) ?? said.at(-1) ?? 'it said nothing';
  return new StartupError(
    `The embedded PostgreSQL does not start on ${folder} (${reason.replace(/^.*?(FATAL|PANIC): +/, '')}): set DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL server`,
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
