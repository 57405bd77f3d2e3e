import { expect } from 'chai';
import type { ServerSpan } from '../../../src/core/telemetry/spans/server-span.ts';
import { setTracing } from '../../../src/core/telemetry/spans/tracing.ts';
import { request } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { collectSpans, get, requestsOf, serve, type TestApp } from './harness.ts';

const MANY = 20;

describe('requests that end together', () => {
  let app: TestApp;
  let spans: ServerSpan[];
  const { promise: allAreHere, resolve: release } = Promise.withResolvers<void>();

  before(async () => {
    spans = collectSpans();
    let here = 0;
    const together = get('/together/:name', async (ctx) => {
      if (++here === MANY) release();
      await allAreHere;
      if (ctx.path.endsWith('/broken')) throw new Error('broken');
      ctx.respond.success({});
    });
    app = await serve({ routes: [together] });
  });

  after(async () => {
    setTracing();
    await app.close();
  });

  it('are each counted, traced and logged as their own', async () => {
    const names = Array.from({ length: MANY }, (_, n) => (n === 3 ? 'broken' : `n${n}`));
    const ask = (name: string) =>
      request(`${app.url}/api/together/${name}`, { headers: { 'X-Request-ID': `id-${name}` } });
    const answers = await Promise.all(names.map(ask));
    await eventually(() => expect(app.access).to.have.length(MANY));

    for (const [n, { status, headers }] of answers.entries()) {
      const name = names[n];
      const entry = app.access.find(({ requestId }) => requestId === `id-${name}`);
      const span = spans.find(({ facts }) => facts?.path === `/api/together/${name}`);
      const [, traceId, spanId] = headers.get('traceresponse')?.split('-') ?? [];
      expect(entry).to.include({ status, traceId, spanId });
      expect(span?.context).to.include({ traceId, spanId });
      expect(span?.facts).to.include({ status });
      expect(entry?.durationMs).to.be.closeTo((span?.endMs ?? 0) - (span?.startMs ?? 0), 0.01);
    }
    expect(requestsOf('/api/together/:name')).to.deep.equal({ 'GET 200': MANY - 1, 'GET 500': 1 });
  });
});
