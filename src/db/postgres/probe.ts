import net from 'node:net';
import pg from 'pg';
import { connectionOptions, type PoolOptions } from './pool.ts';

/** A connection that says nothing for so long is given up: its server may be gone without a word. */
export const PROBE_ENDS_AFTER_MS = 10_000;

/** The server is there and full. What the pool holds goes on working, so that is no reason to look away from it. */
const TOO_MANY_CONNECTIONS = '53300';

/**
 * Whether PostgreSQL takes a connection and answers on it; rejects if not, after `endsAfterMs` at the latest. It is a
 * connection of its own and not one of the pool: a pool that is all in use is not a server that is away, and a server
 * that takes no new connections is one that hangs, though old ones may still answer.
 */
export async function probePostgres(options: PoolOptions, endsAfterMs = PROBE_ENDS_AFTER_MS): Promise<void> {
  const socket = new net.Socket();
  const limit = setTimeout(() => socket.destroy(new Error(`no answer within ${endsAfterMs} ms`)), endsAfterMs);
  socket.once('close', () => clearTimeout(limit));
  const client = new pg.Client({
    ...connectionOptions(options),
    application_name: `${options.projectIdentifier.slice(0, 48)}-health`,
    stream: () => socket,
  });
  // A connection that breaks fails what is asked of it; the event that follows must find a listener.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } catch (error) {
    if ((error as { code?: string }).code !== TOO_MANY_CONNECTIONS) throw error;
  } finally {
    // Not awaited: the answer is there, and how the connection ends is bounded by the same limit.
    void client.end().catch(() => socket.destroy());
  }
}
