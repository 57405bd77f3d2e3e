import pg from 'pg';
import { StartupError } from '../../core/errors/startup-error.ts';
import { connectionOptions, type PoolOptions } from './pool.ts';

type Options = Pick<PoolOptions, 'connectionString' | 'postgresSslmode' | 'postgresSslCa'>;

const ATTEMPT_TIMEOUT_MS = 3000;
const PAUSE_MS = 500;
// Refusals that waiting does not mend: wrong password, no such role, no such database (PostgreSQL manual, appendix A).
const FINAL = new Set(['28P01', '28000', '3D000']);

/**
 * Waits until PostgreSQL answers, `timeoutMs` at most. Throws `StartupError` that names the setting and the server,
 * never the password.
 */
export async function waitForPostgres(options: Options, settingName: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = deadline - performance.now();
    const error = await tryToConnect(options, Math.max(1, Math.min(ATTEMPT_TIMEOUT_MS, left)));
    if (error === undefined) return;
    const isFinal = FINAL.has((error as { code?: string }).code ?? '');
    if (!isFinal && performance.now() + PAUSE_MS < deadline) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      continue;
    }
    const { hostname, port, pathname } = new URL(options.connectionString);
    const where = `${hostname}:${port || 5432}${pathname}`;
    const why = error.message || (error as { code?: string }).code || error.name;
    throw new StartupError(`${settingName}: PostgreSQL at ${where} cannot be reached: ${why}`, { cause: error });
  }
}

async function tryToConnect(options: Options, timeoutMs: number): Promise<Error | undefined> {
  const client = new pg.Client({ ...connectionOptions(options), connectionTimeoutMillis: timeoutMs });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return undefined;
  } catch (error) {
    return error instanceof AggregateError ? (error.errors[0] as Error) : (error as Error);
  } finally {
    await client.end().catch(() => undefined);
  }
}
