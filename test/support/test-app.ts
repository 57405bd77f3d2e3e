import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../../src/db/postgres/database.ts';
import { type Answer, bearer, request, type SignedIn, signIn } from './client.ts';
import { openDatabase } from './database.ts';
import { eventually } from './eventually.ts';
import { type ReceivedSpan, startOtlpReceiver } from './otlp-receiver.ts';
import { type LogLine, startService } from './service.ts';

/** Sends requests to an application by their path. Every answer is held against what its route declares. */
export type Caller = {
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown): Promise<Answer>;
  put(path: string, body?: unknown): Promise<Answer>;
  patch(path: string, body?: unknown): Promise<Answer>;
  delete(path: string, body?: unknown): Promise<Answer>;
};

/** What a service tells of itself comes a moment after the answer: each of these waits for it. */
export type TestApp = {
  readonly url: string;
  /** Somebody who is not signed in. */
  readonly anyone: Caller;
  /** Registers a new account and signs in. */
  signIn(): Promise<Caller & { readonly user: SignedIn }>;
  /** The server span of the request that was answered so. */
  spanOf(answer: Answer): Promise<ReceivedSpan>;
  /** The line that a logger wrote while the request was answered so. */
  lineOf(answer: Answer, logger: string): Promise<LogLine>;
  /** All lines that were written so far. */
  lines(): LogLine[];
  /** The value of a metric, over all its series that have these labels; 0 where there are none. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  /** What was mailed to an address so far, as the files of a service without `SMTP_URL`, oldest first. */
  mailsTo(address: string): string[];
  /** This application's own PostgreSQL, to look at what it wrote, or to test a store and a task without HTTP. */
  readonly database: Database;
  stop(): Promise<void>;
};

/**
 * The door for the tests of a domain: the whole application as a process of its own, with an empty database in each
 * store and a receiver for its spans. Start it in `before`, stop it in `after`; many tests can share one.
 *
 *     const app = await startTestApp({ NOTES_MAX_LENGTH: '10' });
 *     const ada = await app.signIn();
 *     const answer = await ada.post('/api/notes', { text: 'Buy milk' });
 *     expect(answer.status).to.equal(201);
 *     expect((await app.spanOf(answer)).name).to.equal('POST /api/notes');
 *     await app.stop();
 *
 * @param env settings over those of a test, as environment variables.
 */
export async function startTestApp(env: Readonly<Record<string, string>> = {}): Promise<TestApp> {
  const receiver = await startOtlpReceiver();
  const telemetry = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '50' };
  const service = await startService({ env: { ...telemetry, ...env } });
  const { url } = service;
  const database = openDatabase(service.stores.databaseUrl);
  return {
    url,
    database,
    anyone: callerOf(url),
    async signIn() {
      const user = await signIn(url);
      return { ...callerOf(url, bearer(user.accessToken)), user };
    },
    spanOf: (answer) =>
      eventually(() => {
        const [, traceId, spanId] = (answer.headers.get('traceresponse') ?? '').split('-');
        return receiver.spans.find((span) => span.traceId === traceId && span.spanId === spanId);
      }),
    lineOf: (answer, logger) =>
      eventually(() => {
        const id = answer.headers.get('x-request-id');
        return service.logLines().find((line) => line['request_id'] === id && line['logger'] === logger);
      }),
    lines: () => service.logLines(),
    async metric(name, labels = {}) {
      const { text } = await request(`${url}/metrics/${name}`);
      const series = [...text.matchAll(/^([\w:]+)(?:\{(.*)\})? (\S+)$/gm)].filter(
        ([, family, pairs = '']) => family === name && hasLabels(pairs, labels),
      );
      return series.reduce((sum, [, , , value]) => sum + Number(value), 0);
    },
    mailsTo: (address) => mailsIn(join(service.dataDir, 'mail')).filter((mail) => mail.includes(`\nTo: ${address}\n`)),
    async stop() {
      await database.close();
      await service.stop();
      await receiver.close();
    },
  };
}

function mailsIn(folder: string): string[] {
  const files = existsSync(folder) ? readdirSync(folder).sort() : [];
  return files.map((file) => readFileSync(join(folder, file), 'utf8'));
}

function hasLabels(pairs: string, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => `,${pairs},`.includes(`,${name}=${JSON.stringify(value)},`));
}

function callerOf(url: string, headers: Record<string, string> = {}): Caller {
  const send = (method: string) => (path: string, body?: unknown) =>
    request(`${url}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return { get: send('GET'), post: send('POST'), put: send('PUT'), patch: send('PATCH'), delete: send('DELETE') };
}
