import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import pg from 'pg';
import { StartupError } from '../../core/errors/startup-error.ts';
import { getLogger } from '../../core/logging/index.ts';
import { connectionOptions, type PoolOptions } from './pool.ts';

export type Migration = { name: string; sql: string; checksum: string };
export type MigrationOptions = Pick<PoolOptions, 'connectionString' | 'postgresSslmode' | 'postgresSslCa'> & {
  /** Folders with files named `<timestamp>_<what>.sql`, one a domain; together they are one history. */
  folders: readonly string[];
};

const logger = getLogger('app.db.migrations');
const FILE_NAME = /^\d{14}_[a-z0-9_]+\.sql$/;
// "okapi" in ASCII: replicas that start together wait for each other here.
const ADVISORY_LOCK = 0x6f6b617069;
const HISTORY = `create table if not exists okapi_migrations (
  name text primary key, checksum text not null, applied_at timestamptz not null default now())`;

/** The migrations in the folders, in the order of their timestamps. Throws `StartupError` on a misnamed file or a name given twice. */
export async function readMigrations(folders: readonly string[]): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for (const folder of folders) {
    for (const file of (await readdir(folder)).filter((name) => name.endsWith('.sql'))) {
      if (!FILE_NAME.test(file)) {
        throw new StartupError(`Migration ${join(folder, file)} must be named like 20260131120000_create_things.sql`);
      }
      const sql = await readFile(join(folder, file), 'utf8');
      migrations.push({ name: basename(file, '.sql'), sql, checksum: createHash('sha256').update(sql).digest('hex') });
    }
  }
  migrations.sort((a, b) => (a.name < b.name ? -1 : 1));
  const twice = migrations.find(({ name }, index) => migrations[index + 1]?.name === name);
  if (twice !== undefined) throw new StartupError(`Migration ${twice.name} stands in two folders: rename one of them`);
  return migrations;
}

/**
 * Brings the schema up to date, one transaction a migration, under an advisory lock. Resolves to the names of those it
 * applied. Throws `StartupError` when an applied file was edited, one is missing that is older than the newest file, or
 * the server does not let it.
 */
export async function migrate(options: MigrationOptions): Promise<string[]> {
  const migrations = await readMigrations(options.folders);
  const client = new pg.Client({ ...connectionOptions(options), application_name: 'okapi-migrate' });
  // A lost connection makes the query under way fail; without a listener it would also end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCK]);
    await client.query(HISTORY);
    const { rows } = await client.query<{ name: string; checksum: string }>(
      'select name, checksum from okapi_migrations',
    );
    const applied = new Map(rows.map(({ name, checksum }) => [name, checksum]));
    checkHistory(migrations, applied);
    const pending = migrations.filter(({ name }) => !applied.has(name));
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ name }) => name);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const why = (error as Error).message;
    throw new StartupError(`The schema of the database cannot be brought up to date: ${why}`, { cause: error });
  } finally {
    await client.end().catch(() => undefined);
  }
}

function checkHistory(migrations: readonly Migration[], applied: ReadonlyMap<string, string>): void {
  const edited = migrations.find(({ name, checksum }) => applied.has(name) && applied.get(name) !== checksum);
  if (edited !== undefined) {
    throw new StartupError(`Migration ${edited.name} was edited after it was applied: restore it and add a new one`);
  }
  const names = new Set(migrations.map(({ name }) => name));
  const newest = migrations.at(-1)?.name ?? '';
  for (const name of applied.keys()) {
    if (names.has(name)) continue;
    if (name < newest) throw new StartupError(`Migration ${name} was applied, but its file is missing: restore it`);
    logger.warning(`Migration ${name} was applied by a newer version of this service`);
  }
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query('begin');
    await client.query(sql);
    await client.query('insert into okapi_migrations (name, checksum) values ($1, $2)', [name, checksum]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw new StartupError(`Migration ${name} failed and was rolled back: ${(error as Error).message}`, {
      cause: error,
    });
  }
  logger.info(`Applied migration ${name}`);
}
