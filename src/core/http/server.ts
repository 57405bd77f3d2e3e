import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type Koa from 'koa';
import type { Settings } from '../config/index.ts';
import { StartupError } from '../errors/startup-error.ts';
import type { AccessEntry } from '../logging/index.ts';
import { answerClientErrors, answerTunnels } from './client-error.ts';
import { CompactResponse } from './compact-response.ts';

export type HttpServer = {
  /** The port that is listened on. */
  readonly port: number;
  /**
   * Takes no new connections, and ends each open one with its next answer, which says `Connection: close`. Resolves once
   * all are closed; what is not by then is cut after `graceMs`.
   */
  close(graceMs: number): Promise<void>;
};

export type ListenOptions = Pick<Settings, 'host' | 'keepAliveTimeoutMs' | 'requestTimeoutMs'> & {
  port: number;
  /** The name of the setting to change when the port is taken. */
  portSetting: string;
  writeAccess?: (entry: AccessEntry) => void;
};

// Connections that wait to be taken: who finds no place there tries again after a second. The kernel's own limit is the usual
// 4096, where Node would ask for 511.
const BACKLOG = 4096;
const HEADERS_TIMEOUT_MS = 15_000;
// An idle connection is kept this long when the listener has closed: a request may be on its way on it.
const LINGER_MS = 250;
const SWEEP_MS = 50;
const QUIET_TURN_MS = 0.2;
const MAX_TURNS = 200;

/** The answer that is under way on a connection, as Node's server keeps it there. */
type HttpSocket = net.Socket & { _httpMessage?: http.ServerResponse | null };

/** Starts an HTTP server for `app`. Throws `StartupError` when the port or address cannot be listened on. */
export async function listen(app: Koa, options: ListenOptions): Promise<HttpServer> {
  let isDraining = false;
  const connections = new Set<HttpSocket>();
  const handle = app.callback();
  function take(req: http.IncomingMessage, res: http.ServerResponse): void {
    if (isDraining) res.shouldKeepAlive = false;
    void handle(req, res);
  }
  const server = http.createServer(
    {
      ServerResponse: CompactResponse,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, options.requestTimeoutMs),
      connectionsCheckingInterval: 5_000,
      noDelay: true,
      // Refused by a layer, in our own words.
      requireHostHeader: false,
    },
    take,
  );
  server.on('checkExpectation', take);
  server.on('connect', answerTunnels(options.writeAccess));
  server.on('connection', (socket: HttpSocket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.on('clientError', answerClientErrors(options.writeAccess));
  await bind(server, options);

  function endKeepAlive(): void {
    isDraining = true;
    for (const { _httpMessage: answer } of connections) {
      if (answer && !answer.headersSent) answer.shouldKeepAlive = false;
    }
  }

  async function endIdle(): Promise<void> {
    await quietTurn();
    // Node takes a connection for idle whose answer is complete but not yet sent, and would cut it.
    if ([...connections].every((socket) => socket.writableLength === 0)) server.closeIdleConnections();
  }

  return {
    port: (server.address() as net.AddressInfo).port,
    async close(graceMs) {
      const closed = once(server, 'close');
      await quietTurn();
      // http.Server.close would cut idle connections at once, and with them requests that are in flight to us.
      net.Server.prototype.close.call(server);
      endKeepAlive();
      const startedAt = performance.now();
      const sweep = setInterval(() => {
        const waitedMs = performance.now() - startedAt;
        if (waitedMs > graceMs) for (const socket of connections) socket.destroy();
        else if (waitedMs > LINGER_MS) void endIdle();
      }, SWEEP_MS);
      try {
        await closed;
        // Of a connection that was cut the server has let go before its request has learnt of it.
        await Promise.all([...connections].map((socket) => once(socket, 'close')));
      } finally {
        clearInterval(sweep);
      }
    },
  };
}

/**
 * Resolves after a turn of the event loop that had next to nothing to do. What the kernel had for us is taken then:
 * closing a listener resets connections that wait to be accepted, closing a connection loses a request not yet read.
 */
async function quietTurn(): Promise<void> {
  await nextTurn();
  for (let turns = 0; turns < MAX_TURNS; turns++) {
    const startedAt = performance.now();
    await nextTurn();
    if (performance.now() - startedAt < QUIET_TURN_MS) return;
  }
}

/** Throws `StartupError` when the port is taken: asked before anything slow is started. */
export async function assertPortIsFree(options: Pick<ListenOptions, 'host' | 'port' | 'portSetting'>): Promise<void> {
  const probe = net.createServer();
  await bind(probe, options);
  probe.close();
  await once(probe, 'close');
}

async function bind(
  server: net.Server,
  { host, port, portSetting }: Pick<ListenOptions, 'host' | 'port' | 'portSetting'>,
): Promise<void> {
  try {
    server.listen({ host, port, backlog: BACKLOG });
    await once(server, 'listening');
  } catch (error) {
    throw new StartupError(bindProblem(error as NodeJS.ErrnoException, host, port, portSetting), { cause: error });
  }
}

function bindProblem({ code, message }: NodeJS.ErrnoException, host: string, port: number, setting: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `${setting}: port ${port} on ${host} is in use; stop what listens there or set ${setting} to a free port`;
    case 'EACCES':
      return `${setting}: port ${port} needs privileges; set ${setting} to one of 1024 or above`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `HOST: ${host} is no address of this machine; set HOST to one that is, such as 127.0.0.1`;
    default:
      return `${setting}: cannot listen on ${host}:${port}: ${message}`;
  }
}
