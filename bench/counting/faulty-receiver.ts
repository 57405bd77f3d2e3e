import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { IdSet } from './id-set.ts';
import { countLogRecords, readSpans, SERVER_KIND } from './otlp-records.ts';

/** What is done with a request that came whole. */
export type Behaviour =
  | { readonly kind: 'takes' }
  /** Takes it, and answers so late. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Takes it, and never answers. */
  | { readonly kind: 'holds' }
  /** Takes it, and ends the connection. */
  | { readonly kind: 'resets' }
  /** Does not take it. */
  | { readonly kind: 'refuses'; readonly status: number; readonly headers?: Record<string, string> };

export type FaultyReceiver = {
  readonly url: string;
  /** Different spans that were taken, and those of them that are of requests. */
  readonly spans: number;
  readonly serverSpans: number;
  /** Taken, repeated ones included. */
  readonly logRecords: number;
  readonly metricExports: number;
  /** Requests that were refused, held or cut. */
  readonly spoilt: number;
  behave(behaviour: Behaviour): void;
  /** Is gone with all its connections, as after a kill. */
  down(): Promise<void>;
  /** Is back at the same address. */
  up(): Promise<void>;
};

/** An OTLP/HTTP receiver (protobuf) on loopback that can be told to be a bad one. It counts, and keeps nothing. */
export async function startFaultyReceiver(): Promise<FaultyReceiver> {
  const ids = new IdSet();
  const counts = { serverSpans: 0, logRecords: 0, metricExports: 0, spoilt: 0 };
  let behaviour: Behaviour = { kind: 'takes' };

  function take(path: string, body: Buffer): void {
    if (path === '/v1/logs') counts.logRecords += countLogRecords(body);
    if (path === '/v1/metrics') counts.metricExports++;
    if (path !== '/v1/traces') return;
    readSpans(body, ({ idHigh, idLow, kind }) => {
      if (ids.add(idHigh, idLow) && kind === SERVER_KIND) counts.serverSpans++;
    });
  }

  const server = http.createServer(async (req: IncomingMessage, res: ServerResponse) => {
    const body = await bodyOf(req);
    // Its sender was cut off while it sent.
    if (body === undefined) return;
    const now = behaviour;
    if (now.kind !== 'takes') counts.spoilt++;
    if (now.kind === 'refuses') return void res.writeHead(now.status, now.headers).end();
    take(req.url ?? '', body);
    if (now.kind === 'resets') return void req.socket.destroy();
    if (now.kind === 'holds') return;
    if (now.kind === 'slow') await delay(now.ms, undefined, { ref: false });
    res.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end();
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get spans() {
      return ids.size;
    },
    get serverSpans() {
      return counts.serverSpans;
    },
    get logRecords() {
      return counts.logRecords;
    },
    get metricExports() {
      return counts.metricExports;
    },
    get spoilt() {
      return counts.spoilt;
    },
    behave(next) {
      behaviour = next;
    },
    async down() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
    up: () => listen(port),
  };
}

async function bodyOf(req: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of req) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  const bytes = Buffer.concat(chunks);
  return req.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
}
