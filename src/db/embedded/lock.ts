import { chmod, mkdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { StartupError } from '../../core/errors/startup-error.ts';
import { giveToOwnerOf } from './ownership.ts';

export interface DataDirLock {
  /** Lets the next instance in. Safe to call again. */
  release(): void;
}

const LOCK_FILE = 'lock.sqlite';
const RETRY_EVERY_MS = 50;
const SQLITE_BUSY = 5;

/** Keeps the connections from the garbage collector: with its connection a lock would go. */
const held = new Set<DatabaseSync>();

/**
 * Makes the data folder if it is missing (0700) and returns its real path: the stores are told apart by it.
 * @throws StartupError when it cannot be made or is no folder.
 */
export async function prepareDataDir(dataDir: string): Promise<string> {
  try {
    const made = await mkdir(dataDir, { recursive: true, mode: 0o700 });
    if (made !== undefined) await chmod(dataDir, 0o700);
    if (!(await stat(dataDir)).isDirectory()) throw new Error('it is not a folder');
    return await realpath(dataDir);
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

/**
 * Takes a data folder for this process, until `release()` or the end of the process: the lock is SQLite's exclusive
 * lock on a file in it, which the kernel drops with the process, `kill -9` included. A file that only says who was
 * there (a pid file) would outlive its writer.
 *
 * Nothing else in this process may open the lock file: POSIX drops all of a process's locks on a file when it closes
 * any descriptor of that file.
 * @param options.waitMs how long another holder may take to end; a process killed a moment ago still holds its locks.
 * @throws StartupError when another instance keeps the folder, or it cannot be written to.
 */
export async function lockDataDir(dataDir: string, options: { waitMs: number }): Promise<DataDirLock> {
  const file = join(dataDir, LOCK_FILE);
  const { DatabaseSync } = await import('node:sqlite');
  const deadline = performance.now() + options.waitMs;
  for (;;) {
    const database = tryLock(DatabaseSync, file);
    if (database) {
      await giveToOwnerOf(dataDir, file);
      return { release: () => held.delete(database) && database.close() };
    }
    if (performance.now() >= deadline) {
      throw new StartupError(
        `DATA_DIR (${dataDir}) is in use by another instance: stop that one, or set DATA_DIR to a folder of its own`,
      );
    }
    await delay(RETRY_EVERY_MS);
  }
}

function tryLock(Database: typeof DatabaseSync, file: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new Database(file, { timeout: 0 });
    // Nothing is ever written, so no journal needs to lie beside the file.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    held.add(database);
    return database;
  } catch (error) {
    database?.close();
    if (isBusy(error)) return undefined;
    throw unusable(file, error);
  }
}

/** The low byte is the primary code; the rest tells variants of it apart. */
function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    'errcode' in error &&
    typeof error.errcode === 'number' &&
    (error.errcode & 0xff) === SQLITE_BUSY
  );
}

function unusable(path: string, cause: unknown): StartupError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StartupError(
    `DATA_DIR (${path}) cannot be used (${reason}): make it a folder this user can write to, or set DATA_DIR to another`,
    { cause },
  );
}
