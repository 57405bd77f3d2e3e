import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { bearer, post, request, signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { leaveOut } from '../support/leave-out.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { type Service, startService } from '../support/service.ts';

describe('a first use of the API', () => {
  let receiver: OtlpReceiver;
  let service: Service;

  before(async () => {
    receiver = await startOtlpReceiver();
    service = await startService({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_BSP_SCHEDULE_DELAY: '50',
        OTEL_BLRP_SCHEDULE_DELAY: '50',
        OTEL_METRIC_EXPORT_INTERVAL: '200',
      },
    });
  });

  after(async () => {
    await service.stop();
    await receiver.close();
  });

  it('registers, signs in, and shows who one is and what one did', async () => {
    const user = await signIn(service.url);
    const me = await request(`${service.url}/api/users/me`, { headers: bearer(user.accessToken) });
    expect(me.status).to.equal(200);
    expect(me.body.data)
      .to.include({ id: user.id, email: user.email })
      .and.deep.include({ roles: ['user'] });

    const events = await eventually(async () => {
      const answer = await request(`${service.url}/api/activity`, { headers: bearer(user.accessToken) });
      return answer.body.data.length === 2 && answer.body;
    });
    expect(events.data.map((event: { type: string }) => event.type)).to.deep.equal([
      'auth.signed_in',
      'auth.registered',
    ]);
    expect(events.meta.page).to.deep.equal({ limit: 20, next_cursor: null });
  });

  it('answers one request with the same trace id in its body, its header, its log line and its span', async () => {
    const answer = await request(`${service.url}/api/nope`);
    expect(answer.status).to.equal(404);
    const traceId = answer.body.meta.trace_id;
    expect(answer.headers.get('traceresponse')).to.contain(traceId);
    const line = await eventually(() => service.logLines().find((each) => each['trace_id'] === traceId));
    expect(line['request_id']).to.equal(answer.body.meta.request_id);
    const span = await eventually(() => receiver.spans.find((each) => each.traceId === traceId));
    expect(span.name).to.equal('GET');
    expect(span.attributes).to.include({ 'http.response.status_code': 404, 'okapi.request_id': line['request_id'] });
    expect(span.resource).to.include({ 'service.name': 'okapi', 'deployment.environment.name': 'development' });
  });

  it('traces a sign-in down to the statements it ran', async () => {
    const { email, password } = await signIn(service.url);
    const answer = await post(`${service.url}/api/auth/login`, { email, password });
    const traceId = answer.body.meta.trace_id;
    const server = await eventually(() =>
      receiver.spans.find((each) => each.traceId === traceId && each.name === 'POST /api/auth/login'),
    );
    expect(server.attributes['http.route']).to.equal('/api/auth/login');
    const children = await eventually(() => {
      const found = receiver.spans.filter(
        (each) => each.parentSpanId === server.spanId && each.name !== 'wait for a connection',
      );
      return found.length >= 3 && found;
    });
    expect(children.map(({ name, scope }) => [scope, name.split(' ')[0]])).to.have.deep.members([
      ['okapi.passwords', 'verify'],
      ['okapi.postgres', 'SELECT'],
      ['okapi.postgres', 'INSERT'],
    ]);
  });

  it('sends the same log lines and metrics by OTLP', async () => {
    const answer = await request(`${service.url}/api/nope`);
    const traceId = answer.body.meta.trace_id;
    const record = await eventually(() => receiver.logs.find((each) => each.traceId === traceId));
    expect(record.attributes['request_id']).to.equal(answer.body.meta.request_id);
    await eventually(() => receiver.metrics.some(({ name }) => name === 'app_requests_total'));
  });

  it('instruments every package that it says it does', async () => {
    expect((await request(`${service.url}/health`)).body.data.faults).to.deep.equal([]);
    await eventually(async () => (await request(`${service.url}/health`)).body.data.status === 'ok');
  });

  it('goes before the threads that hash its passwords, write its files and mark its garbage', function () {
    if (process.platform !== 'linux') return leaveOut(this, 'only Linux has priorities by the thread');
    const threads = `/proc/${service.pid}/task`;
    const niceness = (thread: string) => {
      const stat = readFileSync(`${threads}/${thread}/stat`, 'utf8');
      // Behind the name, which may hold spaces, stands the third field; proc_pid_stat(5) has this one as its nineteenth.
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
    };
    const called = (thread: string) => readFileSync(`${threads}/${thread}/comm`, 'utf8').trim();
    const own = niceness(String(service.pid));
    for (const [name, atLeast] of [
      ['libuv-worker', 4],
      ['node-V8Worker', 1],
    ] as const) {
      const workers = readdirSync(threads).filter((thread) => called(thread) === name);
      expect(workers, name).to.have.length.at.least(atLeast);
      expect(new Set(workers.map(niceness)), name).to.deep.equal(new Set([Math.min(own + 10, 19)]));
    }
  });
});
