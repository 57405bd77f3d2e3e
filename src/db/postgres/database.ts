import type pg from 'pg';
import { currentCarrier } from '../../core/context.ts';
import { dbPostgresQueryDuration } from '../../core/telemetry/metrics/metrics.ts';
import { dbPostgresPoolWait } from '../../core/telemetry/metrics/service-metrics.ts';
import { operationOf } from './operation.ts';
import { createPool, type PoolFigures, type PoolOptions, poolFigures } from './pool.ts';
import { asUnavailable } from './unavailable.ts';

/** A statement; with a `name` it is prepared once a connection. Values are always bound. */
export type Statement = { name?: string; text: string };

/** What stores ask their questions of: the pool, or a transaction. */
export type Queryable = {
  /** Runs one statement and resolves to its rows. Rejects with 503 when PostgreSQL cannot be reached. */
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
};

/** PostgreSQL as the domains know it. */
export type Database = Queryable & {
  /** Runs `work` in a transaction; retried when the server asks for it (serialization failure, deadlock). */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  figures(): PoolFigures;
  close(): Promise<void>;
};

/** A transaction that could not even be rolled back: its connection is of no more use. */
class BrokenTransaction extends Error {
  readonly original: unknown;

  constructor(original: unknown, cause: unknown) {
    super('The transaction could not be rolled back', { cause });
    this.original = original;
  }
}

const MAX_ATTEMPTS = 3;
const RETRYABLE = new Set(['40001', '40P01']);

export function createDatabase(options: PoolOptions): Database {
  const pool = createPool(options);
  const size = options.postgresPoolSize;

  async function connect(): Promise<pg.PoolClient> {
    const askedAt = performance.now();
    try {
      return await pool.connect();
    } catch (error) {
      throw asUnavailable(error);
    } finally {
      const waitedMs = performance.now() - askedAt;
      const carrier = currentCarrier();
      if (carrier !== undefined) carrier.poolWaitMs += waitedMs;
      dbPostgresPoolWait.observe(waitedMs / 1000);
    }
  }

  // A connection above size ends when it comes back, unless someone waits for it; so does a broken one.
  const release = (client: pg.PoolClient, broken: boolean) =>
    client.release(broken || (pool.totalCount > size && pool.waitingCount === 0));

  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await connect();
    let broken = false;
    try {
      return await work(client);
    } catch (error) {
      const cause = error instanceof BrokenTransaction ? error.original : error;
      const mapped = asUnavailable(cause);
      broken = mapped !== cause || error instanceof BrokenTransaction;
      throw mapped;
    } finally {
      release(client, broken);
    }
  }

  async function attempt<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return withClient(async (client) => {
      await run(client, { text: 'BEGIN' });
      try {
        const result = await work({ query: (statement, values) => run(client, statement, values) });
        await run(client, { text: 'COMMIT' });
        return result;
      } catch (error) {
        await run(client, { text: 'ROLLBACK' }).catch((cause: unknown) => {
          throw new BrokenTransaction(error, cause);
        });
        throw error;
      }
    });
  }

  return {
    query: (statement, values) => withClient((client) => run(client, statement, values)),
    async transaction(work) {
      for (let attempts = 1; ; attempts++) {
        try {
          return await attempt(work);
        } catch (error) {
          const retryable = RETRYABLE.has((error as { code?: string }).code ?? '');
          if (!retryable || attempts === MAX_ATTEMPTS) throw error;
        }
      }
    },
    figures: () => poolFigures(pool, size),
    close: () => pool.end(),
  };
}

async function run<Row extends object>(
  client: pg.ClientBase,
  statement: Statement,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const startedAt = performance.now();
  try {
    const result = await client.query<Row>({ ...statement, values: [...values] });
    return result.rows;
  } finally {
    const tookMs = performance.now() - startedAt;
    const carrier = currentCarrier();
    if (carrier !== undefined) {
      carrier.postgresStatements++;
      carrier.postgresMs += tookMs;
    }
    dbPostgresQueryDuration.labels({ operation: operationOf(statement.text) }).observe(tookMs / 1000);
  }
}
