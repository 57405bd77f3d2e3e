import { chown, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartupError } from '../../core/errors/startup-error.ts';
import { isSuperuser } from './ownership.ts';
import { type Identity, postgresEnv } from './postgres-identity.ts';
import { startWatched } from './watched-process.ts';

const UNFINISHED = 'postgres.new-';

const INIT_ARGS = [
  '--username=postgres',
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  // Sorting and case by code point, the same on every machine; the system's locales are not asked.
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C',
];

/**
 * Whether a server has been initialised in the folder. An empty or missing folder is a new one.
 * @throws StartupError when the folder holds something else.
 */
export async function isInitialised(folder: string): Promise<boolean> {
  const entries = await readdir(folder).catch((error: unknown): string[] => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return [];
    throw new StartupError(`${folder} cannot be read (${code}): start as its owner, or set DATA_DIR to another folder`);
  });
  if (entries.length > 0 && !entries.includes('PG_VERSION')) {
    throw new StartupError(
      `${folder} is not a PostgreSQL folder (it has no PG_VERSION): move it away, or set DATA_DIR to another folder`,
    );
  }
  return entries.length > 0;
}

/** @throws StartupError when the folder is of another major version, which this server cannot read. */
export async function assertSameMajor(folder: string, majorVersion: number): Promise<void> {
  const made = (await readFile(join(folder, 'PG_VERSION'), 'utf8')).trim();
  if (Number(made) === majorVersion) return;
  throw new StartupError(
    `${folder} was made by PostgreSQL ${made || '(unknown)'} and the embedded server is ${majorVersion}: move the folder away, set DATA_DIR to another, or set DATABASE_URL to a PostgreSQL ${made} server`,
  );
}

interface InitOptions {
  folder: string;
  initdb: string;
  identity: Identity;
  password: string;
  signal?: AbortSignal;
}

/**
 * Initialises a server beside its folder and moves it there when it is complete, so that a folder which is there is a
 * whole one, whenever the process is killed.
 * @throws StartupError with what `initdb` said; the reason of `signal` when it aborts.
 */
export async function initialise({ folder, initdb, identity, password, signal }: InitOptions): Promise<void> {
  await removeUnfinished(dirname(folder));
  const workshop = await mkdtemp(join(dirname(folder), UNFINISHED));
  try {
    const data = join(workshop, 'data');
    const passwordFile = join(workshop, 'password');
    await mkdir(data, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (isSuperuser()) {
      for (const path of [data, passwordFile, workshop]) await chown(path, identity.owner.uid, identity.owner.gid);
    }
    await runInitdb([initdb, '--pgdata', data, `--pwfile=${passwordFile}`, ...INIT_ARGS], identity, signal);
    await rename(data, folder);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

async function runInitdb(commandLine: string[], identity: Identity, signal: AbortSignal | undefined): Promise<void> {
  const [command = '', ...args] = [...identity.prefix, ...commandLine];
  const child = await startWatched({
    ...identity.user,
    command,
    args,
    watchdog: 'shell',
    graceMs: 0,
    cwd: '/',
    env: postgresEnv(),
  });
  const callOff = () => void child.stop();
  signal?.addEventListener('abort', callOff);
  if (signal?.aborted) callOff();
  const { code, signal: endedBy } = await child.exited;
  signal?.removeEventListener('abort', callOff);
  signal?.throwIfAborted();
  if (code === 0) return;
  const reason = child.stderrTail().find((line) => line.includes('error:')) ?? child.stderrTail().at(-1) ?? '';
  throw new StartupError(
    `The embedded PostgreSQL could not be initialised (${reason || `it ended with ${endedBy ?? code}`}): set DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL server`,
  );
}

/** What a start that was killed has left; its processes end with it, so they may be at work for a moment yet. */
async function removeUnfinished(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(UNFINISHED)) continue;
    await rm(join(dataDir, name), { recursive: true, force: true, maxRetries: 5 });
  }
}
