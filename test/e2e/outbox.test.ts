import { expect } from 'chai';
import { bearer, post, request, signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { useServices } from '../support/use-services.ts';
import { breakMongo } from './outbox-faults.ts';
import { openSharedStores } from './outbox-harness.ts';
import { killBetween } from './outbox-kills.ts';

const SPAN_KIND_SERVER = 2;

describe('two services on one PostgreSQL and one Mongo', () => {
  const { start } = useServices();
  let stores: Awaited<ReturnType<typeof openSharedStores>>;
  before(async () => {
    stores = await openSharedStores();
  });
  after(() => stores.close());

  it('start at the same moment, deliver each event once, and one delivers what the other left', async () => {
    const [one, other] = await Promise.all([start(stores.options), start(stores.options)]);
    const history = await stores.database.query<{ n: number; names: number }>({
      text: 'select count(*)::int as n, count(distinct name)::int as names from okapi_migrations',
    });
    expect(history[0]?.n).to.be.above(0).and.equal(history[0]?.names);

    const user = await signIn(one.url);
    const { email, password } = user;
    const urls = [one.url, other.url];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => post(`${urls[n % 2]}/api/auth/login`, { email, password })),
    );
    expect(answers.map(({ status }) => status)).to.deep.equal(Array(20).fill(200));
    await stores.expectDeliveredOnce();

    // With Mongo away nothing can be delivered before the first is gone.
    await stores.mongo.kill();
    for (let n = 0; n < 3; n++) {
      expect((await post(`${one.url}/api/auth/login`, { email, password })).status).to.equal(200);
    }
    await one.kill();
    expect((await stores.written()).filter(({ isDelivered }) => !isDelivered)).to.have.length(3);
    await stores.mongo.restart();
    expect(await stores.expectDeliveredOnce()).to.have.length(25);
    const activity = await request(`${other.url}/api/activity?limit=100`, { headers: bearer(user.accessToken) });
    expect(activity.body).to.have.property('data').with.length(25);
    expect(await other.stop()).to.deep.equal({ code: 0, signal: null });
    expect(other.logLines('error')).to.deep.equal([]);
  });
});

describe('Mongo that hangs, is killed and comes back while people sign in', () => {
  const { start } = useServices();

  it('is noticed by nobody who signs in, and has each event once and in order in the end', () => breakMongo(start, 1));
});

describe('kill -9 of a service that is signed in to', () => {
  const { start } = useServices();

  it('loses no event and doubles none', async () => {
    await killBetween(start, 2);
  });
});

describe('the trace of a delivery', () => {
  const { start } = useServices();

  it('is linked to those of the requests, and a look that finds nothing leaves none', async () => {
    const receiver = await startOtlpReceiver();
    const stores = await openSharedStores();
    try {
      const telemetry = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '50' };
      const service = await start({ ...stores.options, env: { ...stores.options.env, ...telemetry } });
      await signIn(service.url);
      await stores.expectDeliveredOnce();
      const signedIn = await eventually(() => receiver.spans.find(({ name }) => name === 'POST /api/auth/login'));
      const isFromIt = (link: { traceId: string; spanId: string }) =>
        link.traceId === signedIn.traceId && link.spanId === signedIn.spanId;
      const delivery = await eventually(() =>
        receiver.spans.find(({ name, links }) => name === 'deliver outbox' && links.some(isFromIt)),
      );
      expect(delivery).to.include({ scope: 'okapi.outbox' });
      expect(delivery.traceId).to.not.equal(signedIn.traceId);
      const run = await eventually(() => receiver.spans.find(({ spanId }) => spanId === delivery.parentSpanId));
      expect(run).to.deep.include({ name: 'deliver_outbox', parentSpanId: '', scope: 'okapi.background' });
      expect(run.attributes).to.deep.equal({ 'okapi.job_name': 'deliver_outbox' });
      const looks = receiver.spans.filter(({ parentSpanId }) => parentSpanId === run.spanId);
      expect(looks.map(({ name }) => name).join(), 'what the run did besides').to.contain('SELECT outbox');
      const children = await eventually(() => {
        const found = receiver.spans.filter(({ parentSpanId }) => parentSpanId === delivery.spanId);
        return found.length >= 2 && found.map(({ name }) => name);
      });
      expect(children.join()).to.contain('UPDATE outbox').and.contain('activity_events');
      expect(new Set(children), 'no call to Mongo twice').to.have.length(children.length);

      const runs = async () => {
        const { text } = await request(`${service.url}/metrics/background_job_runs`);
        return Number(/job_name="deliver_outbox"\} (\d+)/.exec(text)?.[1]);
      };
      const before = await runs();
      for (let n = 0; n < 5; n++) {
        const sofar = await runs();
        await stores.database.query({ text: 'notify outbox' });
        await eventually(async () => (await runs()) > sofar);
      }
      expect(await runs()).to.be.at.least(before + 5);
      expect(await service.stop()).to.deep.equal({ code: 0, signal: null });
      const roots = receiver.spans.filter(({ parentSpanId, kind }) => parentSpanId === '' && kind !== SPAN_KIND_SERVER);
      const withWork = new Set(receiver.spans.map(({ parentSpanId }) => parentSpanId));
      expect(roots.filter(({ spanId }) => !withWork.has(spanId))).to.deep.equal([]);
      const deliveries = receiver.spans.filter(({ name }) => name === 'deliver outbox');
      const runsWithWork = roots.filter(({ name }) => name === 'deliver_outbox');
      expect(runsWithWork.map(({ spanId }) => spanId)).to.have.members([
        ...new Set(deliveries.map(({ parentSpanId }) => parentSpanId)),
      ]);
    } finally {
      await stores.close();
      await receiver.close();
    }
  });
});
