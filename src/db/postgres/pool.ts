import { readFileSync } from 'node:fs';
import type pg from 'pg';
import type { Settings } from '../../core/config/index.ts';
import { StartupError } from '../../core/errors/startup-error.ts';
import { getLogger } from '../../core/logging/index.ts';
import { BoundPool } from './bound-pool.ts';
import type { Server } from './statement-kinds.ts';

export type PoolOptions = Pick<
  Settings,
  'projectIdentifier' | 'postgresPoolSize' | 'postgresPoolOverflow' | 'postgresSslmode' | 'postgresSslCa'
> & { connectionString: string };

/** How full the pool is. `open` counts idle and busy connections; `waiting` those who ask for one. */
export type PoolFigures = { open: number; inUse: number; waiting: number; size: number };

const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;
const STATEMENT_TIMEOUT_MS = 30_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;

/**
 * The one pool: at most `size` + `overflow` connections. Every wait has an end: connecting and waiting for a connection
 * (5 s), a statement and an idle transaction (30 s, kept by the server).
 */
export function createPool(options: PoolOptions): BoundPool {
  const pool = new BoundPool({
    ...connectionOptions(options),
    application_name: options.projectIdentifier,
    max: options.postgresPoolSize + options.postgresPoolOverflow,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
  });
  // The same while a connection is in use: its statement fails, and the event that follows must find a listener.
  pool.on('connect', (client) => client.on('error', () => undefined));
  // An idle connection that the server drops is replaced by the next use; without a listener it would end the process.
  pool.on('error', (error) => getLogger('app.db.postgres').warning('An idle connection was lost', { error }));
  return pool;
}

export function poolFigures(pool: pg.Pool, size: number): PoolFigures {
  return { open: pool.totalCount, inUse: pool.totalCount - pool.idleCount, waiting: pool.waitingCount, size };
}

/** Where a connection string leads, as telemetry says it. */
export function serverOf(connectionString: string): Server {
  const { hostname, port, pathname } = new URL(connectionString);
  return { address: hostname, port: Number(port) || 5432, database: decodeURIComponent(pathname.slice(1)) };
}

export type SslMode = Settings['postgresSslmode'];
type SslOptions = Pick<PoolOptions, 'connectionString' | 'postgresSslmode'>;

/** The TLS mode: that of the URL wins over the setting. */
export function sslModeOf({ connectionString, postgresSslmode }: SslOptions): SslMode {
  return (new URL(connectionString).searchParams.get('sslmode') as SslMode | null) ?? postgresSslmode;
}

/** The same options with another TLS mode, wherever it stood. */
export function withSslMode<T extends SslOptions>(options: T, mode: SslMode): T {
  const url = new URL(options.connectionString);
  url.searchParams.delete('sslmode');
  return { ...options, connectionString: url.href, postgresSslmode: mode };
}

/** Connection and TLS as libpq understands `sslmode`; `prefer` and `require` do not check who answers. */
export function connectionOptions(
  options: Pick<PoolOptions, 'connectionString' | 'postgresSslmode' | 'postgresSslCa'>,
): pg.ClientConfig {
  const url = new URL(options.connectionString);
  const mode = sslModeOf(options);
  url.searchParams.delete('sslmode');
  const ca = options.postgresSslCa === undefined ? {} : { ca: readCertificate(options.postgresSslCa) };
  const connectionString = url.href;
  switch (mode) {
    case 'verify-full':
      return { connectionString, ssl: { rejectUnauthorized: true, ...ca } };
    case 'verify-ca':
      return { connectionString, ssl: { rejectUnauthorized: true, checkServerIdentity: () => undefined, ...ca } };
    case 'require':
      return { connectionString, ssl: { rejectUnauthorized: false, ...ca } };
    default:
      return { connectionString };
  }
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new StartupError(`POSTGRES_SSL_CA names a file that cannot be read (${code}): ${JSON.stringify(path)}`);
  }
}
