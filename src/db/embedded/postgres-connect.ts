import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { StartupError } from '../../core/errors/startup-error.ts';
import type { ProcessEnd } from './watched-process.ts';

/** How to reach an embedded server as its superuser. */
export interface PostgresAccess {
  port: number;
  password: string;
}

const RETRY_EVERY_MS = 20;
const READY_WITHIN_MS = 15_000;
/** After a crash the server answers that it is starting up while it replays its log. */
const RECOVERED_WITHIN_MS = 60_000;

const CANNOT_CONNECT_NOW = '57P03';
const INVALID_PASSWORD = '28P01';
const SQLSTATE = /^[0-9A-Z]{5}$/;

export function postgresUrl({ port, password }: PostgresAccess, database: string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

interface ReadyOptions {
  exited: Promise<ProcessEnd>;
  onRecovery: () => void;
  signal: AbortSignal | undefined;
}

/**
 * Connects as soon as the server takes connections.
 * @returns undefined when the server ended instead.
 * @throws StartupError when it does neither in time (15 s, or 60 s while it recovers from a crash); the reason of
 *   `signal` when it aborts.
 */
export async function connectWhenReady(
  access: PostgresAccess,
  { exited, onRecovery, signal }: ReadyOptions,
): Promise<Client | undefined> {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  const started = performance.now();
  let patienceMs = READY_WITHIN_MS;
  let lastError = '';
  while (!ended && performance.now() - started < patienceMs) {
    signal?.throwIfAborted();
    const answer = await tryConnect(access);
    if ('client' in answer) return answer.client;
    lastError = answer.message;
    if (SQLSTATE.test(answer.code) && answer.code !== CANNOT_CONNECT_NOW) {
      // Either another server has the port, and ours is about to end for that, or ours will not have us.
      await Promise.race([exited, delay(500)]);
      if (!ended) throw refused(answer);
    }
    if (answer.code === CANNOT_CONNECT_NOW && patienceMs < RECOVERED_WITHIN_MS && performance.now() - started > 1_000) {
      patienceMs = RECOVERED_WITHIN_MS;
      onRecovery();
    }
    await Promise.race([exited, delay(RETRY_EVERY_MS)]);
  }
  if (ended) return undefined;
  throw new StartupError(
    `The embedded PostgreSQL took no connections within ${patienceMs / 1_000} s (${lastError}): start again, set DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL server`,
  );
}

interface Refusal {
  /** A system error's name, or an SQLSTATE. */
  code: string;
  message: string;
}

async function tryConnect(access: PostgresAccess): Promise<{ client: Client } | Refusal> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({
    host: '127.0.0.1',
    port: access.port,
    user: 'postgres',
    password: access.password,
    database: 'postgres',
    // Set, so that PGSSLMODE and PGOPTIONS of the environment are not used.
    ssl: false,
    options: '',
    connectionTimeoutMillis: 2_000,
  });
  // A connection that breaks is an event as well as a rejected query; without a listener it ends the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return { client };
  } catch (error) {
    await client.end().catch(() => {});
    if (!(error instanceof Error)) throw error;
    return { code: 'code' in error ? String(error.code) : '', message: error.message };
  }
}

function refused({ code, message }: Refusal): StartupError {
  return new StartupError(
    code === INVALID_PASSWORD
      ? 'The embedded PostgreSQL refuses the password in keys/postgres-password: restore the one it was initialised with, or set DATA_DIR to another folder'
      : `The embedded PostgreSQL takes no connections (${message}): set DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL server`,
  );
}

/** Creates those of the databases that are not there, and ends the connection. */
export async function createDatabases(client: Client, databases: readonly string[]): Promise<void> {
  try {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
    const existing = new Set(rows.map(({ datname }) => datname));
    for (const database of new Set(databases)) {
      if (!existing.has(database)) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
    }
  } finally {
    await client.end();
  }
}
