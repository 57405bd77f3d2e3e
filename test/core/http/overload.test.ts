import { expect } from 'chai';
import { EventLoopWatch } from '../../../src/core/telemetry/event-loop-watch.ts';
import { request } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { errorsOf, get, requestsOf, serve, type TestApp } from './harness.ts';

describe('overload', () => {
  let app: TestApp;
  let isLate = false;
  let open: (() => void)[] = [];
  const slow = get('/slow', (ctx) =>
    new Promise<void>((resolve) => open.push(resolve)).then(() => ctx.respond.success({})),
  );

  before(async () => {
    app = await serve({ env: { MAX_IN_FLIGHT: '2' }, routes: [slow], isLoopLate: () => isLate });
  });
  afterEach(() => {
    isLate = false;
    for (const finish of open) finish();
    open = [];
  });
  after(() => app.close());

  async function hold(count: number): Promise<ReturnType<typeof request>[]> {
    const held = Array.from({ length: count }, () => request(`${app.url}/api/slow`));
    await eventually(() => open.length === count);
    return held;
  }

  it('refuses at once past MAX_IN_FLIGHT, with Retry-After, and takes requests again after that', async () => {
    const held = await hold(2);
    const refused = await request(`${app.url}/api/slow`);
    expect(refused.status).to.equal(503);
    expect(refused.body).to.include({ code: 'overload.shed', status: 503 });
    expect(refused.headers.get('retry-after')).to.equal('1');
    expect(refused.headers.get('cache-control')).to.equal('no-store');
    expect(refused.headers.get('x-frame-options')).to.equal('DENY');
    for (const finish of open) finish();
    open = [];
    for (const answer of await Promise.all(held)) expect(answer.status).to.equal(200);
    const [again] = await hold(1);
    for (const finish of open) finish();
    expect((await again)?.status).to.equal(200);
  });

  it('is no error of the application, and says so on its access line', async () => {
    const before = errorsOf('unmatched');
    const counted = requestsOf('unmatched')['GET 503'] ?? 0;
    await hold(2);
    const seen = app.access.length;
    await request(`${app.url}/api/slow`);
    const entry = await eventually(() => app.access[seen]);
    expect(entry).to.include({ status: 503, shed: true, route: 'unmatched' });
    expect(errorsOf('unmatched')).to.deep.equal(before);
    expect(requestsOf('unmatched')['GET 503']).to.equal(counted + 1);
  });

  it('refuses while the event loop is late and something is under way, but never the only request', async () => {
    isLate = true;
    const [only] = await hold(1);
    expect((await request(`${app.url}/api/slow`)).status).to.equal(503);
    for (const finish of open) finish();
    expect((await only)?.status).to.equal(200);
  });

  it('never refuses health', async () => {
    isLate = true;
    await hold(1);
    expect((await request(`${app.url}/health/live`)).status).to.equal(404);
  });
});

describe('the watch on the event loop', () => {
  it('calls the loop late after two late windows in a row, and no longer after one that is not', () => {
    const watch = new EventLoopWatch(200);
    watch.record(300);
    expect(watch.isLate(), 'one stall').to.equal(false);
    watch.record(1);
    watch.record(4000);
    expect(watch.isLate(), 'another stall').to.equal(false);
    watch.record(201);
    expect(watch.isLate()).to.equal(true);
    watch.record(0);
    expect(watch.isLate()).to.equal(false);
    watch.stop();
  });

  it('calls no loop late when the limit is 0', () => {
    const watch = new EventLoopWatch(0);
    watch.record(5000);
    watch.record(5000);
    expect(watch.isLate()).to.equal(false);
    watch.stop();
  });
});
