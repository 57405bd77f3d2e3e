import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type Koa from 'koa';
import type { Settings } from '../config/index.ts';
import { StartupError } from '../errors/startup-error.ts';
import type { AccessEntry } from '../logging/index.ts';
import { answerClientErrors } from './client-error.ts';

export type HttpServer = {
  /** The port that is listened on. */
  readonly port: number;
  /** From now on every answer asks its client to close the connection. */
  startDraining(): void;
  /** Takes no new connections; resolves once all are closed, or `graceMs` later after cutting what is left. */
  close(graceMs: number): Promise<void>;
};

export type ListenOptions = Pick<Settings, 'host' | 'keepAliveTimeoutMs'> & {
  port: number;
  /** The name of the setting to change when the port is taken. */
  portSetting: string;
  writeAccess?: (entry: AccessEntry) => void;
};

const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 15_000;
// Requests that were on their way when the listener closed still get their answer within this time.
const LINGER_MS = 250;
const SWEEP_MS = 50;

/** Starts an HTTP server for `app`. Throws `StartupError` when the port or address cannot be listened on. */
export async function listen(app: Koa, options: ListenOptions): Promise<HttpServer> {
  let isDraining = false;
  const handle = app.callback();
  const server = http.createServer(
    {
      keepAliveTimeout: options.keepAliveTimeoutMs,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: 5_000,
      noDelay: true,
    },
    (req, res) => {
      if (isDraining) res.shouldKeepAlive = false;
      void handle(req, res);
    },
  );
  server.on('clientError', answerClientErrors(options.writeAccess));
  await bind(server, options);

  return {
    port: (server.address() as net.AddressInfo).port,
    startDraining: () => {
      isDraining = true;
    },
    async close(graceMs) {
      isDraining = true;
      const closed = once(server, 'close');
      // http.Server.close would cut idle connections at once, and with them requests that are in flight to us.
      net.Server.prototype.close.call(server);
      const startedAt = performance.now();
      const sweep = setInterval(() => {
        const waitedMs = performance.now() - startedAt;
        if (waitedMs > graceMs) server.closeAllConnections();
        else if (waitedMs > LINGER_MS) server.closeIdleConnections();
      }, SWEEP_MS);
      try {
        await closed;
      } finally {
        clearInterval(sweep);
      }
    },
  };
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
    server.listen({ host, port });
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
