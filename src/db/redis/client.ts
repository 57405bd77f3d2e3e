import { Redis as Client } from 'ioredis';
import { tracedCalls } from './traced-call.ts';

const CONNECT_TIMEOUT_MS = 2_000;
/** A request waits this long for Redis at the very most, and once: after that Redis counts as away. */
const COMMAND_TIMEOUT_MS = 500;
/** A connection on which nothing comes back for so long is given up, so that the next try makes a new one. */
const SOCKET_TIMEOUT_MS = 5_000;
const LONGEST_RETRY_MS = 1_000;
const SLOW = /timed? ?out/i;
const PROBE = "return redis.call('SET', KEYS[1], '1', 'PX', 10000)";

/** A Lua script; every call sends its hash alone, and the whole text where the server does not know it yet. */
export type Script = { readonly name: string; readonly text: string };

/** Redis as the service knows it. It connects by itself, and again after a loss. */
export type Redis = {
  /** Whether it answered last time, so that it is worth asking. */
  readonly isUp: boolean;
  /** Rejects with a `RedisAwayError` when it does not answer, within half a second. */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /** Rejects when the server does not answer within `timeoutMs`, or does not run scripts or take writes. */
  ping(timeoutMs: number): Promise<void>;
  /** Calls back when it may have gone, and when it may have come back. */
  onChange(listener: () => void): void;
  close(): Promise<void>;
};

/** That Redis is not there; says why, without what was asked: keys name callers, and arguments may be a password. */
export class RedisAwayError extends Error {
  override name = 'RedisAwayError';
}

type Scripted = Client & Record<string, (keys: number, ...args: (string | number)[]) => Promise<unknown>>;

/** Begins to connect; a server that is away is no error, it is only not up. `name` is what the server calls us. */
export function createRedis(url: string, name: string): Redis {
  const client = new Client(url, {
    connectionName: name,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    retryStrategy: (times) => Math.min(LONGEST_RETRY_MS, times * 100),
    // What cannot be asked now is decided elsewhere now: nothing waits for a server to come back.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
  });
  const traced = tracedCalls(client.options);
  const scripts = new Set<string>();
  const listeners: (() => void)[] = [];
  const changed = () => {
    for (const listener of listeners) listener();
  };
  let isAnswering = false;
  let lastError = 'no answer';

  client.on('error', (error: Error) => {
    lastError = wordsOf(error);
  });
  client.on('ready', () => {
    isAnswering = true;
    changed();
  });
  client.on('close', () => {
    if (!isAnswering) return;
    isAnswering = false;
    changed();
  });

  /** Asks for one answer. After the first that does not come, nothing is asked until a ping is answered again. */
  async function ask<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      lastError = wordsOf(error);
      if (isAnswering) {
        isAnswering = false;
        changed();
      }
      throw new RedisAwayError(lastError);
    }
  }

  return {
    get isUp() {
      return isAnswering && client.status === 'ready';
    },
    run(script, keys, args) {
      if (!scripts.has(script.name)) {
        client.defineCommand(script.name, { lua: script.text });
        scripts.add(script.name);
      }
      return ask(() =>
        traced(script.name, async () => (client as Scripted)[script.name]?.(keys.length, ...keys, ...args)),
      );
    },
    async ping(timeoutMs) {
      if (client.status !== 'ready') await ready(client, timeoutMs, () => lastError);
      // It must do what limits need: a replica, or a server that is full, would answer a ping.
      await ask(() => client.eval(PROBE, 1, `${name}:probe`));
      isAnswering = true;
    },
    onChange(listener) {
      listeners.push(listener);
    },
    async close() {
      listeners.length = 0;
      client.disconnect();
    },
  };
}

/** Resolves when the connection can be used. What is slow is waited for, what fails is not. */
async function ready(client: Client, timeoutMs: number, lastError: () => string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onError = (error: Error) => {
    if (!SLOW.test(error.message)) reject(new RedisAwayError(wordsOf(error)));
  };
  const timer = setTimeout(() => reject(new RedisAwayError(lastError())), timeoutMs);
  client.once('ready', resolve).on('error', onError);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    client.off('ready', resolve).off('error', onError);
  }
}

/** The driver hangs what was asked on its errors, a password included: only the words go on. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const causes = error instanceof AggregateError ? error.errors.map(String) : [];
  return error.message || causes.join('; ') || error.name;
}
