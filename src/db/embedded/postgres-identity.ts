import { execFile } from 'node:child_process';
import { chmod, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { StartupError } from '../../core/errors/startup-error.ts';
import { isSuperuser, ownerOf } from './ownership.ts';

const run = promisify(execFile);

interface Owner {
  uid: number;
  gid: number;
}

/** As whom the server runs; PostgreSQL refuses to run as root and wants to own its folder. */
export interface Identity {
  /** For a message: `as uid 65534`. */
  label: string;
  /** Put before the command, which it executes in its place. */
  prefix: readonly string[];
  /** To switch to, if that is how. */
  user: Owner | undefined;
  /** As whom its files appear outside. */
  owner: Owner;
  /** Of PostgreSQL, as it says itself. */
  majorVersion: number;
}

export interface IdentityOptions {
  dataDir: string;
  /** The server's own folder in it; need not exist. */
  folder: string;
  postgres: string;
  /** `initdb` cannot do without a name for its user; the server can. */
  needsName: boolean;
}

/** Nothing is inherited but the search path: PGDATA, LANG and the like must not change how the server works. */
export function postgresEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * Finds a way to run PostgreSQL on this data folder, by trying. An ordinary user runs it as themselves. The superuser runs it as the present owner of the folder, else as `nobody`,
 * else as themselves in a user namespace, where they are `nobody` to PostgreSQL and still own their files. No account
 * is made.
 * @throws StartupError that lists what was tried and why it did not work.
 */
export async function choosePostgresIdentity(options: IdentityOptions): Promise<Identity> {
  const current = await ownerOf(options.folder);
  const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const refusals: string[] = [];
  for (const way of await waysFor(options.dataDir, self, current)) {
    const answer = await attempt(way, options);
    if (typeof answer === 'string') {
      refusals.push(`${way.label}: ${answer}`);
      continue;
    }
    return { ...way, majorVersion: answer };
  }
  throw new StartupError(
    `The embedded PostgreSQL cannot run here (${refusals.join('; ')}): set DATABASE_URL to a PostgreSQL server, or set DATA_DIR to a folder it can use`,
  );
}

interface Way extends Omit<Identity, 'majorVersion'> {
  /** What must be changed before it can work. */
  prepare?(): Promise<void>;
}

async function waysFor(dataDir: string, self: Owner, current: Owner | undefined): Promise<Way[]> {
  const nobody = await nobodyIs();
  const namespace: Way = {
    label: 'in a user namespace',
    prefix: ['unshare', '--user', `--map-user=${nobody.uid}`, '--'],
    user: undefined,
    owner: self,
  };
  if (!isSuperuser()) return [{ label: 'as this user', prefix: [], user: undefined, owner: self }, namespace];
  const folderOwner = await ownerOf(dataDir);
  const users = [current, folderOwner, nobody].filter((owner) => owner !== undefined).filter(({ uid }) => uid !== 0);
  const ways = [...new Map(users.map((user) => [user.uid, user])).values()].map(asUser);
  if (current?.uid === 0) ways.unshift(namespace);
  else ways.push(namespace);
  if (folderOwner?.uid === 0) ways.push({ ...asUser(nobody), prepare: () => letThrough(dataDir) });
  return ways;
}

function asUser(user: Owner): Way {
  return { label: `as uid ${user.uid}`, prefix: [], user, owner: user };
}

/** 65534 on Linux, -2 on macOS, 99 on old systems. */
async function nobodyIs(): Promise<Owner> {
  const ask = async (flag: string) => Number((await run('id', [flag, 'nobody'], { env: postgresEnv() })).stdout) | 0;
  return { uid: await ask('-u').catch(() => 65534), gid: await ask('-g').catch(() => 65534) };
}

/**
 * The last resort of a superuser without user namespaces (a plain container): others may pass through the data folder,
 * not list it. What it holds are folders that only their owners can enter.
 */
async function letThrough(dataDir: string): Promise<void> {
  const { mode } = await stat(dataDir);
  await chmod(dataDir, (mode & 0o7777) | 0o011);
}

const ATTEMPT = `
test -x "$1" || { echo "it cannot enter $1"; exit 1; }
test -z "$3" || id -un >/dev/null 2>&1 || { echo "uid $(id -u) has no name"; exit 1; }
exec "$2" --version
`;

/** The server's major version, or why this way does not work. */
async function attempt(way: Way, { dataDir, postgres, needsName }: IdentityOptions): Promise<number | string> {
  const [command = '/bin/sh', ...args] = [
    ...way.prefix,
    '/bin/sh',
    '-c',
    ATTEMPT,
    'sh',
    dataDir,
    postgres,
    needsName ? 'name' : '',
  ];
  try {
    await way.prepare?.();
    const { stdout } = await run(command, args, { ...way.user, cwd: '/', env: postgresEnv(), timeout: 5_000 });
    return Number.parseInt(stdout.replace(/^\D+/, ''), 10);
  } catch (error) {
    return firstLine(error);
  }
}

function firstLine(error: unknown): string {
  const { stdout = '', stderr = '', message = String(error) } = error as { [key: string]: string | undefined };
  return (
    [stdout, stderr, message]
      .map((text) => text.trim().split('\n', 1)[0])
      .find((line) => line)
      ?.replace(/^sh: (\d+: )?/, '') ?? ''
  );
}
