import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { IdSet } from './id-set.ts';
import { countLogRecords, readSpans, SERVER_KIND } from './otlp-records.ts';

/** What came in from one server. */
export type Received = {
  /** Different spans of kind SERVER: one a request. */
  serverSpans: number;
  /** Spans of any kind, repeated ones included. */
  spans: number;
  /** Server spans that had come before. */
  repeated: number;
  logRecords: number;
  /** Requests that could not be understood. */
  malformed: number;
};

export type Receiver = {
  /** The OTLP endpoint of a server: what comes in there is counted under its name. */
  urlFor(name: string): string;
  received(name: string): Readonly<Received>;
  close(): Promise<void>;
};

type Account = Received & { ids: IdSet };

/** An OTLP/HTTP receiver (protobuf) that counts every span and keeps none. */
export async function startReceiver(): Promise<Receiver> {
  const accounts = new Map<string, Account>();
  const accountOf = (name: string) => {
    const account = accounts.get(name) ?? newAccount();
    accounts.set(name, account);
    return account;
  };
  const server = http.createServer(async (req, res) => {
    const [, name = '', , signal = ''] = (req.url ?? '').split('/');
    const account = accountOf(name);
    try {
      take(account, signal, await bodyOf(req));
      res.writeHead(200, { 'Content-Type': 'application/x-protobuf', 'Content-Length': 0 }).end();
    } catch {
      account.malformed++;
      res.writeHead(400).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    urlFor: (name) => `${url}/${name}`,
    received: accountOf,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function newAccount(): Account {
  return { serverSpans: 0, spans: 0, repeated: 0, logRecords: 0, malformed: 0, ids: new IdSet() };
}

async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

function take(account: Account, signal: string, body: Buffer): void {
  if (signal === 'logs') account.logRecords += countLogRecords(body);
  if (signal !== 'traces') return;
  readSpans(body, ({ idHigh, idLow, kind }) => {
    account.spans++;
    if (kind !== SERVER_KIND) return;
    if (account.ids.add(idHigh, idLow)) account.serverSpans++;
    else account.repeated++;
  });
}
