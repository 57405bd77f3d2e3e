import { createDatabase, type Database } from '../../src/db/postgres/database.ts';
import type { PoolOptions } from '../../src/db/postgres/pool.ts';

/** How the tests connect: over loopback, without TLS. */
export function poolOptions(connectionString: string, size = 2, overflow = 2): PoolOptions {
  return {
    connectionString,
    projectIdentifier: 'okapi-test',
    postgresPoolSize: size,
    postgresPoolOverflow: overflow,
    postgresSslmode: 'disable',
    postgresSslCa: undefined,
  };
}

/** Opens a database of the tests; who opens it closes it. */
export function openDatabase(connectionString: string, size?: number, overflow?: number): Database {
  return createDatabase(poolOptions(connectionString, size, overflow));
}
