import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream/promises';
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
  /** What came in from a server so far. */
  received(name: string): Readonly<Received>;
  close(): Promise<void>;
};

type Message = { signal: string; chunks: readonly Buffer[]; isCompressed: boolean };
type Account = Received & { ids: IdSet; waiting: Message[]; waitingBytes: number };

/** Beyond this, what waits is read at once. */
const MOST_WAITING_BYTES = 256 * 1024 * 1024;

/**
 * An OTLP/HTTP receiver (protobuf) that counts every span and keeps none. It reads what came in when it is asked, after
 * the load: where two cores are one that is shared, as in most clouds, whatever it does slows down the server beside it.
 */
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
    const chunks = await chunksOf(req).catch(() => undefined);
    if (chunks === undefined) {
      // It was cut off: nobody waits for an answer.
      account.malformed++;
      return;
    }
    account.waiting.push({ signal, chunks, isCompressed: req.headers['content-encoding'] === 'gzip' });
    for (const { length } of chunks) account.waitingBytes += length;
    if (account.waitingBytes > MOST_WAITING_BYTES) readAll(account);
    res.writeHead(200, { 'Content-Type': 'application/x-protobuf', 'Content-Length': 0 }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    urlFor: (name) => `${url}/${name}`,
    received(name) {
      const account = accountOf(name);
      readAll(account);
      return account;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function newAccount(): Account {
  return {
    serverSpans: 0,
    spans: 0,
    repeated: 0,
    logRecords: 0,
    malformed: 0,
    ids: new IdSet(),
    waiting: [],
    waitingBytes: 0,
  };
}

async function chunksOf(req: IncomingMessage): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  await finished(req);
  return chunks;
}

function readAll(account: Account): void {
  for (const message of account.waiting.splice(0)) {
    try {
      take(account, message);
    } catch {
      account.malformed++;
    }
  }
  account.waitingBytes = 0;
}

function take(account: Account, { signal, chunks, isCompressed }: Message): void {
  const sent = Buffer.concat(chunks);
  const body = isCompressed ? gunzipSync(sent) : sent;
  if (signal === 'logs') account.logRecords += countLogRecords(body);
  if (signal !== 'traces') return;
  readSpans(body, ({ idHigh, idLow, kind }) => {
    account.spans++;
    if (kind !== SERVER_KIND) return;
    if (account.ids.add(idHigh, idLow)) account.serverSpans++;
    else account.repeated++;
  });
}
