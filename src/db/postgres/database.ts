import { context, SpanKind } from '@opentelemetry/api';
import type pg from 'pg';
import { type Carrier, currentCarrier } from '../../core/context.ts';
import { dbPostgresPoolWait } from '../../core/telemetry/metrics/service-metrics.ts';
import { POSTGRES_SCOPE } from '../../core/telemetry/scopes.ts';
import { type ClientSpanFailure, ClientSpanShape, startClientSpan } from '../../core/telemetry/spans/client-span.ts';
import { endClientSpan } from '../../core/telemetry/spans/tracing.ts';
import { listenTo, type StopListening } from './listener.ts';
import { createPool, type PoolFigures, type PoolOptions, poolFigures, serverOf } from './pool.ts';
import { observePendingRequests } from './pool-metrics.ts';
import { errorTypeOf, runStatement, type Statement } from './run-statement.ts';
import { StatementKinds, serverAttributes } from './statement-kinds.ts';
import { asUnavailable } from './unavailable.ts';

export type { Statement } from './run-statement.ts';

/** What stores ask their questions of: the pool, or a transaction. */
export type Queryable = {
  /**
   * Runs one statement and resolves to its rows. Rejects with 503 when PostgreSQL cannot be reached, and when the
   * deadline of the request has passed.
   */
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
};

/** PostgreSQL as the domains know it. */
export type Database = Queryable & {
  /** Runs `work` in a transaction; retried when the server asks for it (serialization failure, deadlock). */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /**
   * Calls `onNotification` whenever somebody notifies the channel, and whenever it begins to listen, over a connection
   * beside the pool. Returns what ends that.
   */
  listen(channel: string, onNotification: () => void): StopListening;
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
const BEGIN = { text: 'BEGIN' };
const COMMIT = { text: 'COMMIT' };
const ROLLBACK = { text: 'ROLLBACK' };

export function createDatabase(options: PoolOptions): Database {
  const pool = createPool(options);
  const size = options.postgresPoolSize;
  const server = serverOf(options.connectionString);
  const kinds = new StatementKinds(server);
  const wait = new ClientSpanShape(
    POSTGRES_SCOPE,
    'wait for a connection',
    serverAttributes(server),
    SpanKind.INTERNAL,
  );
  const stopObserving = observePendingRequests(pool, server);
  const run = <Row extends object>(client: pg.ClientBase, statement: Statement, values?: readonly unknown[]) =>
    runStatement<Row>(client, kinds.of(statement.text), statement, values);

  // One promise and one closure: a thousand requests may wait here at a time.
  function connect(carrier: Carrier | undefined): Promise<pg.PoolClient> {
    const askedAt = performance.now();
    // Who finds none idle that no other has asked for before has to wait, for another's or for a new one.
    const span = pool.idleCount > pool.waitingCount ? undefined : startClientSpan(wait, context.active());
    return new Promise((resolve, reject) => {
      pool.connectUnbound((error, client) => {
        const waitedMs = performance.now() - askedAt;
        if (carrier !== undefined) carrier.spending.poolWaitMs += waitedMs;
        dbPostgresPoolWait.observe(waitedMs / 1000);
        if (span !== undefined) endClientSpan(span, error && waitFailure(error), false);
        if (client === undefined) reject(error);
        else resolve(client);
      });
    });
  }

  // A connection above size ends when it comes back, unless someone waits for it; so does a broken one.
  const release = (client: pg.PoolClient, broken: boolean) =>
    client.release(broken || (pool.totalCount > size && pool.waitingCount === 0));

  // No async function, whose frame would be held while it waits.
  function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const carrier = currentCarrier();
    if (carrier?.aborted !== undefined) return Promise.reject(carrier.aborted);
    return connect(carrier).then(
      (client) => use(client, carrier, work),
      (error: unknown) => {
        // The driver's stack leads to its socket; this one leads to whoever asked.
        if (error instanceof Error) Error.captureStackTrace(error);
        throw carrier?.aborted ?? asUnavailable(error);
      },
    );
  }

  async function use<T>(
    client: pg.PoolClient,
    carrier: Carrier | undefined,
    work: (client: pg.PoolClient) => Promise<T>,
  ): Promise<T> {
    let broken = false;
    try {
      refuseAfterDeadline(carrier);
      return await work(client);
    } catch (error) {
      const cause = error instanceof BrokenTransaction ? error.original : error;
      const mapped = asUnavailable(cause);
      broken = mapped !== cause || error instanceof BrokenTransaction;
      throw carrier?.aborted ?? mapped;
    } finally {
      release(client, broken);
    }
  }

  async function attempt<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return withClient(async (client) => {
      await run(client, BEGIN);
      try {
        const result = await work({
          async query(statement, values) {
            refuseAfterDeadline(currentCarrier());
            return run(client, statement, values);
          },
        });
        refuseAfterDeadline(currentCarrier());
        await run(client, COMMIT);
        return result;
      } catch (error) {
        await run(client, ROLLBACK).catch((cause: unknown) => {
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
    listen: (channel, onNotification) => listenTo(options, channel, onNotification),
    figures: () => poolFigures(pool, size),
    async close() {
      stopObserving();
      await pool.end();
    },
  };
}

/** The driver's message may quote the connection string. */
function waitFailure(error: unknown): ClientSpanFailure {
  return { type: errorTypeOf(error), message: 'No connection was had' };
}

/** Nothing new is begun for a request that was answered already, since its deadline has passed. */
function refuseAfterDeadline(carrier: Carrier | undefined): void {
  if (carrier?.aborted !== undefined) throw carrier.aborted;
}
