import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { StartupError } from '../../core/errors/startup-error.ts';
import { connectionOptions, type PoolOptions, type SslMode, sslModeOf, withSslMode } from './pool.ts';

type Options = Pick<PoolOptions, 'connectionString' | 'postgresSslmode' | 'postgresSslCa'> & { signal?: AbortSignal };

const ATTEMPT_TIMEOUT_MS = 3000;
const PAUSE_MS = 500;
// Refusals that waiting does not mend: wrong password, no such role, no such database (PostgreSQL manual, appendix A).
const FINAL = new Set(['28P01', '28000', '3D000']);

/**
 * Waits until PostgreSQL answers, `timeoutMs` at most. Resolves to the TLS mode to use, `prefer` being settled. Throws `StartupError` that names the setting and the server,
 * never the password; and the reason of `signal` when it aborts.
 */
export async function waitForPostgres(options: Options, settingName: string, timeoutMs: number): Promise<SslMode> {
  const deadline = performance.now() + timeoutMs;
  const calledOff = rejection(options.signal);
  for (;;) {
    const left = deadline - performance.now();
    const attempt = tryModes(options, Math.max(1, Math.min(ATTEMPT_TIMEOUT_MS, left)));
    const { mode, error } = await Promise.race([attempt, calledOff]);
    if (error === undefined) return mode;
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

/** `prefer` is TLS where the server has it, else none: which of the two is found out here, once. */
async function tryModes(options: Options, timeoutMs: number): Promise<{ mode: SslMode; error: Error | undefined }> {
  const mode = sslModeOf(options);
  if (mode !== 'prefer') return { mode, error: await tryToConnect(options, timeoutMs) };
  const error = await tryToConnect(withSslMode(options, 'require'), timeoutMs);
  if (error === undefined || !/does not support SSL/.test(error.message)) return { mode: 'require', error };
  return { mode: 'disable', error: await tryToConnect(withSslMode(options, 'disable'), timeoutMs) };
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
