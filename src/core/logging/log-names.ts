import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The claim of this process on file names in the log directory. */
export interface LogNames {
  /** Stands between `app` or `error` and `.json`: empty for the first process, else `.<pid>`. */
  readonly suffix: string;
  release(): void;
}

const KEPT_DEAD = 3;
const KEPT_DEAD_MS = 7 * 24 * 3_600_000;
const OF_A_PROCESS = /^\.?(?:app|error|lock)\.(\d+(?:-[0-9a-f]{6})?)[.-].+$/;

/** Locks a file until the returned function is called or the process is gone: the kernel drops it. */
function tryLock(path: string): (() => void) | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch {
    database.close();
    return undefined;
  }
  return () => database.close();
}

function lockPath(directory: string, id: string): string {
  return join(directory, id === '' ? '.lock.sqlite' : `.lock.${id}.sqlite`);
}

function lastWritten(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/**
 * Removes what further processes left behind. While such a process lives its files are bounded like everybody's; of
 * the dead (nobody holds their lock) the newest three are kept, a week long.
 */
function sweep(directory: string): void {
  const files = new Map<string, string[]>();
  for (const name of readdirSync(directory)) {
    const id = OF_A_PROCESS.exec(name)?.[1];
    if (id !== undefined) files.set(id, [...(files.get(id) ?? []), join(directory, name)]);
  }
  const newestFirst = [...files.values()]
    .map((paths) => ({ paths, written: Math.max(...paths.map(lastWritten)) }))
    .sort((a, b) => b.written - a.written);
  let kept = 0;
  for (const { paths, written } of newestFirst) {
    const lock = paths.find((path) => path.endsWith('.sqlite'));
    const unlock = lock === undefined ? undefined : tryLock(lock);
    if (lock !== undefined && unlock === undefined) continue;
    unlock?.();
    if (++kept <= KEPT_DEAD && Date.now() - written < KEPT_DEAD_MS) continue;
    for (const path of paths) rmSync(path, { force: true });
  }
}

/**
 * Creates the log directory when it is missing and claims file names in it: the first process gets `app.json`, any
 * other `app.<pid>.json` (with something random behind the pid where another container has the same one). Throws when
 * the directory cannot be made or written to.
 */
export function claimLogNames(directory: string): LogNames {
  mkdirSync(directory, { recursive: true });
  const release = tryLock(lockPath(directory, ''));
  try {
    sweep(directory);
  } catch {
    // Another process may sweep at the same time; what is left is swept at the next start.
  }
  if (release !== undefined) return { suffix: '', release };
  const own = String(process.pid);
  for (const id of [own, `${own}-${randomBytes(3).toString('hex')}`]) {
    const releaseOwn = tryLock(lockPath(directory, id));
    if (releaseOwn !== undefined) return { suffix: `.${id}`, release: releaseOwn };
  }
  throw new Error('The log directory cannot be locked');
}
