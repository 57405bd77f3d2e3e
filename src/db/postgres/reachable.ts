import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { StartupError } from '../../core/errors/startup-error.ts';
import { connectionOptions, type PoolOptions } from './pool.ts';

type Options = Pick<PoolOptions, 'connectionString' | 'postgresSslmode' | 'postgresSslCa'> & { signal?: AbortSignal };

const ATTEMPT_TIMEOUT_MS = 3000;
const PAUSE_MS = 500;
// Refusals that waiting does not mend: wrong password, no such role, no such database (PostgreSQL manual, appendix A).
const FINAL = new Set(['28P01', '28000', '3D000']);

/**
 * Waits until PostgreSQL answers, `timeoutMs` at most. Throws `StartupError` that names the setting and the server,
 * never the password; and the reason of `signal` when it aborts.
 */
export async function waitForPostgres(options: Options, settingName: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const calledOff = rejection(options.signal);
  for (;;) {
    const left = deadline - performance.now();
    const attempt = tryToConnect(options, Math.max(1, Math.min(ATTEMPT_TIMEOUT_MS, left)));
    const error = await Promise.race([attempt, calledOff]);
    if (error === undefined) return;
    if (error instanceof StartupError) throw error;
    const isFinal = FINAL.has((error as { code?: string }).code ?? '');
    if (!isFinal && performance.now() + PAUSE_MS < deadline) {
      await Promise.race([delay(PAUSE_MS), calledOff]);
      continue;
    }
    const { hostname, port, pathname } = new URL(options.connectionString);
    const where = `${hostname}:${port || 5432}${pathname}`;
    const why = error.message || (error as { code?: string }).code || error.name;
    throw new StartupError(`${settingName}: PostgreSQL at ${where} cannot be reached: ${why}`, { cause: error });
  }
}

/** Rejects when the signal aborts, with its reason; else never settles. */
function rejection(signal: AbortSignal | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal?.addEventListener('abort', () => reject(signal.reason));
  if (signal?.aborted) reject(signal.reason);
  promise.catch(() => undefined);
  return promise;
}

async function tryToConnect(options: Options, timeoutMs: number): Promise<Error | undefined> {
  let client: pg.Client | undefined;
  try {
    client = new pg.Client({ ...connectionOptions(options), connectionTimeoutMillis: timeoutMs });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('select 1');
    return undefined;
  } catch (error) {
    return error instanceof AggregateError ? (error.errors[0] as Error) : (error as Error);
  } finally {
    await client?.end().catch(() => undefined);
  }
}
