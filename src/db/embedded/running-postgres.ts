import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { postgresUrl } from './postgres-connect.ts';
import { postgresPassword } from './postgres-password.ts';

/** Line of `postmaster.pid` with the port (PostgreSQL, `miscadmin.h`). */
const PORT_LINE = 3;

/**
 * How to reach the embedded PostgreSQL that another process has started on a data folder; undefined when none has.
 * @throws StartupError when its password cannot be read.
 */
export async function runningPostgresUrl(dataDir: string, database: string): Promise<string | undefined> {
  const lines = await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '');
  const port = Number(lines.split('\n')[PORT_LINE]);
  if (!Number.isInteger(port) || port <= 0) return undefined;
  return postgresUrl({ port, password: await postgresPassword(dataDir, false) }, database);
}
