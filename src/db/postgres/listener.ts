import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { getLogger } from '../../core/logging/index.ts';
import { connectionOptions, type PoolOptions } from './pool.ts';

const AGAIN_AFTER_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_AFTER_MS = 10_000;
const END_WITHIN_MS = 1_000;

/** What ends the listening; resolves when its connection is closed. */
export type StopListening = () => Promise<void>;

/**
 * Listens on a channel (`LISTEN`) over a connection of its own, made again when it is lost. Calls `onNotification` also
 * whenever it begins to listen, since what was told before nobody heard.
 */
export function listenTo(options: PoolOptions, channel: string, onNotification: () => void): StopListening {
  const logger = getLogger('app.db.postgres');
  const stopped = new AbortController();
  let isLost = false;

  async function listenOnce(): Promise<void> {
    const socket = new net.Socket();
    const client = new pg.Client({
      ...connectionOptions(options),
      application_name: `${options.projectIdentifier.slice(0, 48)}-listen`,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      stream: () => socket,
    });
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    // What a lost connection rejects with is told by its end as well.
    client.on('error', () => undefined).on('notification', onNotification);
    const end = () => {
      void client.end().catch(() => undefined);
      setTimeout(() => socket.destroy(), END_WITHIN_MS).unref();
    };
    stopped.signal.addEventListener('abort', end);
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(channel)}`);
      if (isLost) logger.info('Notifications of PostgreSQL are heard again', { channel });
      isLost = false;
      onNotification();
      await closed;
    } finally {
      stopped.signal.removeEventListener('abort', end);
      socket.destroy();
    }
  }

  async function listen(): Promise<void> {
    while (!stopped.signal.aborted) {
      const error = await listenOnce().catch((reason: unknown) => reason);
      if (stopped.signal.aborted) return;
      if (!isLost) logger.warning('Notifications of PostgreSQL are not heard', { channel, error });
      isLost = true;
      await delay(AGAIN_AFTER_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  }

  const listening = listen();
  return () => {
    stopped.abort();
    return listening;
  };
}
