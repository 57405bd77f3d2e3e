import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

/** Raised with every change of the tables below; a file of a later version is not opened. */
const VERSION = 1;

const SCHEMA = `
CREATE TABLE collections (
  id INTEGER PRIMARY KEY AUTOINCREMENT, database TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (database, name)
);
CREATE TABLE indexes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL, name TEXT NOT NULL, specification BLOB NOT NULL,
  multikey INTEGER NOT NULL DEFAULT 0, UNIQUE (collection, name)
);
CREATE TABLE documents (id INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX documents_by_collection ON documents (collection);
CREATE TABLE entries (
  index_id INTEGER NOT NULL, key BLOB NOT NULL, document INTEGER NOT NULL, PRIMARY KEY (index_id, key, document)
) WITHOUT ROWID;
PRAGMA user_version = ${VERSION};
`;

const RETRY_MS = 25;

/**
 * Opens the file for this process alone, waiting up to `waitMs` for another that is still ending. What is committed is
 * on the disk (WAL, `synchronous=FULL`).
 * @throws Error with one line when it stays in use, or was written by a later version.
 */
export async function openDatabaseFile(path: string, waitMs: number): Promise<DatabaseSync> {
  const giveUpAt = Date.now() + waitMs;
  const file = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: false });
  for (;;) {
    try {
      lockAndPrepare(file);
      return file;
    } catch (error) {
      if (!isBusy(error) || Date.now() >= giveUpAt) {
        file.close();
        throw isBusy(error) ? new Error(`${path} is in use by another process`) : error;
      }
      await delay(RETRY_MS);
    }
  }
}

function lockAndPrepare(file: DatabaseSync): void {
  file.exec(
    'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536',
  );
  file.exec('BEGIN IMMEDIATE');
  try {
    const version = Number(file.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > VERSION) throw new Error('the data was written by a later version of the embedded Mongo server');
    if (version === 0) file.exec(SCHEMA);
    file.exec('COMMIT');
  } catch (error) {
    file.exec('ROLLBACK');
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 261);
}
