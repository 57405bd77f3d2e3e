import { context } from '@opentelemetry/api';
import type pg from 'pg';
import { currentCarrier } from '../../core/context.ts';
import { startClientSpan } from '../../core/telemetry/spans/client-span.ts';
import { endClientSpan } from '../../core/telemetry/spans/tracing.ts';
import { Cancellation } from './cancel.ts';
import type { StatementKind } from './statement-kinds.ts';

/** A statement; with a `name` it is prepared once a connection. Values are always bound. */
export type Statement = { name?: string; text: string };

/**
 * Runs one statement on `client`: the one place where the driver is called, so that none escapes its span, its
 * measurement and its deadline. When the deadline of the request passes, the statement is cancelled on the server; it is
 * over, one way or the other, when this settles, so the connection can serve others. Rejects with the driver's error.
 */
export async function runStatement<Row extends object>(
  client: pg.ClientBase,
  kind: StatementKind,
  statement: Statement,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const active = context.active();
  const carrier = currentCarrier(active);
  let cancellation: Cancellation | undefined;
  const stopListening = carrier?.onAbort(() => {
    cancellation = new Cancellation(client);
  });
  const span = startClientSpan(kind.span, active);
  const startedAt = performance.now();
  let errorType: string | undefined;
  let changed = 0;
  try {
    const { rows, rowCount } = await send<Row>(client, statement, values);
    changed = rowCount ?? 0;
    return rows;
  } catch (error) {
    // The driver's stack leads to its parser; this one leads to whoever asked.
    if (error instanceof Error) Error.captureStackTrace(error);
    errorType = errorTypeOf(error);
    throw error;
  } finally {
    const tookMs = performance.now() - startedAt;
    const duration = errorType === undefined ? kind.duration : kind.failed(errorType);
    const failure = errorType === undefined ? undefined : failureOf(errorType);
    // No exemplar leads to a trace that may not come to be.
    const exemplar =
      span !== undefined && endClientSpan(span, failure, kind.isWork(changed)) ? span.context : undefined;
    kind.latency.observe(tookMs / 1000, exemplar);
    duration.observe(tookMs / 1000, exemplar);
    if (carrier !== undefined) {
      const { spending } = carrier;
      spending.postgresStatements++;
      spending.postgresMs += tookMs;
    }
    stopListening?.();
    await cancellation?.settled();
  }
}

function send<Row extends object>(
  client: pg.ClientBase,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<pg.QueryResult<Row>> {
  return new Promise((resolve, reject) => {
    const config = name === undefined ? { text, values } : { name, text, values };
    client.query(config as pg.QueryConfig, (error: Error | null, result: pg.QueryResult<Row>) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}

/** The SQLSTATE (PostgreSQL manual, appendix A) or the system's code, else the class of the error. */
export function errorTypeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'Error';
}

/** The driver's message may quote what was sent, so only the code is told. */
function failureOf(type: string) {
  return { type, message: `PostgreSQL refused the statement: ${type}` };
}
