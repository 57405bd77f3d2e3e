import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { type ReceivedSpan, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { ROOT, temporaryFolder } from '../../support/service.ts';
import { createDatabases } from '../../support/stores.ts';
import { type Line, linesOf } from '../logging/harness.ts';

/**
 * Sends so many requests at a time to a service that does with each of them all that is known to lose a context, and
 * expects every log line and every span to be of the request that it was written for.
 */
export async function expectNoneMixedUp(count: number): Promise<void> {
  const receiver = await startOtlpReceiver();
  const stores = await createDatabases();
  const logDir = join(temporaryFolder(), 'logs');
  const args = ['--import', './instrumentation.ts', join(import.meta.dirname, 'child.ts')];
  const env = {
    PATH: process.env['PATH'],
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_METRICS_EXPORTER: 'none',
  };
  const child = spawn(process.execPath, [...args, stores.databaseUrl, stores.mongoUrl, logDir, String(count)], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [url] = await once(child.stdout, 'data');
    const traces = await sendAll(String(url).trim(), count);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).to.equal(0);
    expectOwnLines(linesOf(logDir, 'app.json'), traces);
    expectOwnSpans(receiver.spans, traces);
  } finally {
    child.kill('SIGKILL');
    await receiver.close();
    await stores.drop();
  }
}

/** The trace of each request, by the name that it was given. */
type Traces = Map<string, string>;

/** All at once, and then more on the same connections, which have served another before. */
async function sendAll(url: string, count: number): Promise<Traces> {
  const agent = new http.Agent({ keepAlive: true });
  const traces: Traces = new Map();
  for (const [round, size] of Object.entries({ a: count, b: Math.ceil(count / 4) })) {
    const names = Array.from({ length: size }, (_, n) => `own_${round}${n}`);
    const answered = await Promise.all(names.map((own) => send(url, own, agent)));
    for (const [index, own] of names.entries()) traces.set(own, answered[index] ?? '');
  }
  agent.destroy();
  expect(new Set(traces.values()).size, 'each has a trace of its own').to.equal(traces.size);
  return traces;
}

/** Resolves to the trace of the answer. Every other request wants its answer as a stream. */
async function send(url: string, own: string, agent: http.Agent): Promise<string> {
  const query = Number(own.slice(5)) % 2 === 0 ? '' : '?streamed';
  const request = http.get(`${url}/api/everything/${own}${query}`, { agent, headers: { 'X-Request-ID': own } });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const body = await text(response);
  expect(response.statusCode, body).to.equal(200);
  expect(response.headers['x-request-id']).to.equal(own);
  return String(response.headers['traceresponse']).split('-')[1] ?? '';
}

function expectOwnLines(lines: readonly Line[], traces: Traces): void {
  const mine = lines.filter(({ logger }) => logger === 'app.test.context');
  for (const line of mine) {
    const own = String(line.extra['own']);
    const said = { request_id: line['request_id'], user_id: line['user_id'], trace_id: line['trace_id'] };
    const expected = { request_id: own, user_id: `user of ${own}`, trace_id: traces.get(own) };
    expect(said, line.message).to.deep.equal(expected);
  }
  const ends = mine.filter(({ message }) => message === 'end').map(({ extra }) => extra['own']);
  expect(ends).to.have.members([...traces.keys()]);
}

/** The calls of one request, by the package that traces them. */
const CALLS = { 'okapi.postgres': 8, '@opentelemetry/instrumentation-mongodb': 7 };

function expectOwnSpans(spans: readonly ReceivedSpan[], traces: Traces): void {
  const byTrace = Map.groupBy(spans, ({ traceId }) => traceId);
  for (const [own, traceId] of traces) {
    const found = (byTrace.get(traceId) ?? []).filter((span) => !isHandshake(span));
    for (const span of found) {
      if (!isAnybodys(span)) expect(ownerOf(span), span.name).to.equal(own);
    }
    for (const [scope, calls] of Object.entries(CALLS)) {
      const traced = found.filter((span) => span.scope === scope && span.name !== WAIT);
      expect(traced, `${scope} in the trace of ${own}`).to.have.length(calls);
    }
    const ids = new Set(found.map(({ spanId }) => spanId));
    const roots = found.filter(({ parentSpanId }) => !ids.has(parentSpanId));
    expect(roots.map(({ name }) => name)).to.deep.equal(['GET /api/everything/:own']);
    expect(roots[0]?.attributes, 'what it spent is what it did').to.include({
      'okapi.postgres.statements': 8,
      'okapi.mongo.commands': 7,
    });
  }
}

/** A span says whose it is by the request's id, its collection, the comment in its statement, or its name. */
function ownerOf({ name, attributes }: ReceivedSpan): unknown {
  const comment = /\/\* (\w+) \*\//.exec(String(attributes['db.query.text']))?.[1];
  return attributes['okapi.request_id'] ?? attributes['db.collection.name'] ?? comment ?? name;
}

/** A driver opens connections for all that wait, within the first request that needs one. */
function isHandshake({ attributes }: ReceivedSpan): boolean {
  return attributes['db.collection.name'] === '$cmd';
}

/** What a request waits for before its statement, as often as there is none for it at once. */
const WAIT = 'wait for a connection';

/** Such a wait and the ends of a transaction say nothing of whose they are; that they stand in the right trace must do. */
function isAnybodys({ name, attributes }: ReceivedSpan): boolean {
  return name === WAIT || ['BEGIN', 'COMMIT'].includes(String(attributes['db.query.text']));
}
