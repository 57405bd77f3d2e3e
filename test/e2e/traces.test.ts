import { expect } from 'chai';
import { bearer, post, request, signIn } from '../support/client.ts';
import { openDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { LogLine, Service } from '../support/service.ts';
import { useServices } from '../support/use-services.ts';

const SERVER = 2;
const ERROR = 2;
/** What there was to do after somebody registered and signed in. */
const HAD_WORK = ['deliver_outbox', 'send_account_mails', 'write_last_seen'];
const QUICK = { OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_BLRP_SCHEDULE_DELAY: '50' };

describe('what a running service exports', () => {
  const { start } = useServices();
  let receiver: OtlpReceiver;
  let service: Service;
  let user: Awaited<ReturnType<typeof signIn>>;

  before(async () => {
    receiver = await startOtlpReceiver();
    service = await start({ env: { ...QUICK, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
    user = await signIn(service.url);
  });
  after(() => receiver.close());

  /** The span of the request that was answered so. */
  async function serverSpanOf(answer: { headers: Headers }): Promise<ReceivedSpan> {
    const [, traceId, spanId] = (answer.headers.get('traceresponse') ?? '').split('-');
    const server = await eventually(() => receiver.spans.find((span) => span.spanId === spanId));
    expect(server).to.include({ traceId, kind: SERVER });
    return server;
  }

  it('says of a request who asked, by which id it is found, and what it spent', async () => {
    const headers = { ...bearer(user.accessToken), 'X-Request-ID': 'mine' };
    const answer = await request(`${service.url}/api/activity`, { headers });
    expect(answer.headers.get('server-timing')).to.equal(`traceparent;desc="${answer.headers.get('traceresponse')}"`);
    const server = await serverSpanOf(answer);
    expect(server.attributes).to.include({
      'http.route': '/api/activity',
      'enduser.id': user.id,
      'okapi.request_id': 'mine',
      'okapi.postgres.statements': 1,
      'okapi.mongo.commands': 1,
    });
    for (const spent of ['okapi.postgres.ms', 'okapi.mongo.ms']) {
      expect(server.attributes[spent], spent).to.be.above(0);
    }
  });

  it('calls MongoDB once in the trace for each time it is asked', async () => {
    const answer = await request(`${service.url}/api/activity`, { headers: bearer(user.accessToken) });
    const server = await serverSpanOf(answer);
    const found = await eventually(() => {
      const all = receiver.spans.filter(({ traceId }) => traceId === server.traceId);
      return all.some(({ scope }) => scope.includes('mongodb')) && all;
    });
    const mongo = found.filter(({ attributes }) => attributes['db.system.name'] === 'mongodb');
    expect(mongo.map(({ name }) => name)).to.deep.equal(['find activity_events']);
  });

  it('holds no literal and no value of a statement or a command', async () => {
    const secret = 'a very private passphrase';
    const email = `traces-${user.id}@example.org`;
    await post(`${service.url}/api/auth/register`, { email, password: secret });
    const login = await post(`${service.url}/api/auth/login`, { email, password: secret });
    await serverSpanOf(login);
    await eventually(() => receiver.spans.some(({ name }) => name === 'deliver_outbox'));
    const texts = receiver.spans
      .map(({ attributes }) => attributes['db.query.text'])
      .filter((text) => text !== undefined);
    expect(texts.length).to.be.above(5);
    for (const text of texts) expect(text).to.not.match(/'[^']+'/);
    const everything = JSON.stringify([receiver.spans, receiver.logs]);
    for (const private_ of [secret, email, login.body.data.access_token, login.body.data.refresh_token]) {
      expect(everything).to.not.contain(private_);
    }
  });

  it('puts the error that a client is not told on the span, with its stack', async () => {
    const database = openDatabase(service.stores.databaseUrl);
    await database.query({ text: 'alter table sessions rename to elsewhere' });
    try {
      const answer = await request(`${service.url}/api/users/me`, { headers: bearer(user.accessToken) });
      expect(answer.status).to.equal(500);
      const server = await serverSpanOf(answer);
      expect(server.status.code).to.equal(ERROR);
      expect(server.attributes).to.include({ 'error.type': '500', 'okapi.error.code': answer.body.code });
      const [exception] = server.events.filter(({ name }) => name === 'exception');
      expect(exception?.attributes['exception.stacktrace']).to.contain('src/domains/auth/');
      const failed = await eventually(() =>
        receiver.spans.find(({ parentSpanId, scope }) => parentSpanId === server.spanId && scope === 'okapi.postgres'),
      );
      expect(failed.attributes).to.include({ 'error.type': '42P01' });
      expect(failed.status.code).to.equal(ERROR);
    } finally {
      await database.query({ text: 'alter table elsewhere rename to sessions' });
      await database.close();
    }
  });

  it('has no trace of its start, of scrapes, of probes and of looks that find nothing', async () => {
    const checks = async () =>
      Number(
        /job_name="check_dependencies"\} (\d+)/.exec(
          (await request(`${service.url}/metrics/background_job_runs`)).text,
        )?.[1],
      );
    const before = await checks();
    for (const path of ['/metrics', '/health', '/health/live', '/health/ready']) await request(service.url + path);
    await eventually(async () => (await checks()) > before);
    const server = await serverSpanOf(await request(`${service.url}/`));
    const roots = receiver.spans.filter(({ parentSpanId, kind }) => parentSpanId === '' && kind !== SERVER);
    for (const { name } of roots) expect(name).to.be.oneOf(HAD_WORK);
    const routes = receiver.spans.filter(({ kind }) => kind === SERVER).map(({ attributes }) => attributes['url.path']);
    expect(routes.filter((path) => /metrics|health/.test(String(path)))).to.deep.equal([]);
    expect(server.resource).to.deep.equal(receiver.logs[0]?.resource);
  });

  it('is every line of the log as well, with the same fields and resource, below the same span', async () => {
    const answer = await request(`${service.url}/api/nope`, { headers: bearer(user.accessToken) });
    await eventually(() => receiver.logs.some(({ traceId }) => traceId === answer.body.meta.trace_id));
    const sent = receiver.logs.slice();
    const lines = service.logLines();
    const asLine = new Map(
      sent.map((record) => [keyOf(record.body, record.attributes['extra'], record.timeMs), record]),
    );
    const inFile = lines.filter(({ message, extra, timestamp }) =>
      asLine.has(keyOf(message, extra, timeOf(timestamp))),
    );
    expect(inFile.length, 'of the lines that were written').to.be.above(10);
    for (const line of inFile) {
      const record = asLine.get(keyOf(line.message, line.extra, timeOf(line['timestamp'])));
      const attributes: Record<string, unknown> = record?.attributes ?? {};
      const resource: Record<string, unknown> = record?.resource ?? {};
      expect(record).to.include({
        severityText: line['level'],
        traceId: line['trace_id'] ?? '',
        spanId: line['span_id'] ?? '',
      });
      expect({
        logger: attributes['logger'],
        module: attributes['code.file.path'],
        function: attributes['code.function.name'],
        line: attributes['code.line.number'],
        request_id: attributes['request_id'],
        user_id: attributes['user_id'],
        job_name: attributes['job_name'],
        stack: attributes['exception.stacktrace'],
      }).to.deep.equal({
        logger: line['logger'],
        module: line['module'],
        function: line['function'],
        line: line['line'],
        request_id: line['request_id'],
        user_id: line['user_id'],
        job_name: line['job_name'],
        stack: (line['exception'] as { stack?: string } | undefined)?.stack,
      });
      expect({
        name: resource['service.name'],
        version: resource['service.version'],
        environment: resource['deployment.environment.name'],
        instance: resource['service.instance.id'],
      }).to.deep.equal(line['service']);
    }
    expect(lines.filter(isFinished).length, 'none was left out').to.equal(inFile.filter(isFinished).length);
  });

  it('leaves the user out of spans with TRACE_USER_ID=false, not out of the log', async () => {
    const other = await startOtlpReceiver();
    const env = { ...QUICK, OTEL_EXPORTER_OTLP_ENDPOINT: other.url, TRACE_USER_ID: 'false' };
    const quiet = await start({ env });
    const { id, accessToken } = await signIn(quiet.url);
    const answer = await request(`${quiet.url}/api/users/me`, { headers: bearer(accessToken) });
    expect(answer.status).to.equal(200);
    const { request_id: requestId } = answer.body.meta;
    await eventually(() => other.spans.some(({ attributes }) => attributes['okapi.request_id'] === requestId));
    const line = await eventually(() => quiet.logLines().find((each) => each['request_id'] === requestId));
    expect(line['user_id']).to.equal(id);
    expect(JSON.stringify(other.spans)).to.not.contain(id);
    await other.close();
  });
});

const timeOf = (timestamp: unknown) => Date.parse(String(timestamp));
/** A line that tells of a request which was asked for and answered before the last one. */
const isFinished = (line: LogLine) => line['logger'] === 'app.http.access' && line.message.includes('/api/');

function keyOf(message: unknown, extra: unknown, timeMs: number): string {
  return JSON.stringify([message, extra ?? null, timeMs]);
}
