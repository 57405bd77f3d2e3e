import { randomBytes } from 'node:crypto';
import pg from 'pg';

export type StoreAddresses = { databaseUrl: string; mongoUrl: string };

const VARIABLE = 'OKAPI_TEST_STORES';

/** Tells every process of this run, those that mocha starts for test files included. */
export function setSharedStores(addresses: StoreAddresses): void {
  process.env[VARIABLE] = JSON.stringify(addresses);
}

/** Whether this run is one that a test of another run has started, whose stores it uses. */
export function hasSharedStores(): boolean {
  return process.env[VARIABLE] !== undefined;
}

/** The stores of this run. Throws outside of a run, since there are none. */
export function sharedStores(): StoreAddresses {
  const shared = process.env[VARIABLE];
  if (shared === undefined) {
    throw new Error('The stores of the tests are not started: run mocha with its configuration');
  }
  return JSON.parse(shared) as StoreAddresses;
}

/** A fresh, empty database in each store, for one test file or one test. */
export async function createDatabases(): Promise<StoreAddresses & { drop(): Promise<void> }> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const { databaseUrl, mongoUrl } = sharedStores();
  await asAdmin(databaseUrl, `create database ${name}`);
  return {
    databaseUrl: withPath(databaseUrl, name),
    mongoUrl: withPath(mongoUrl, name),
    drop: () => asAdmin(databaseUrl, `drop database if exists ${name} with (force)`),
  };
}

async function asAdmin(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function withPath(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
