import { trace } from '@opentelemetry/api';
import { expect } from 'chai';
import type { ServerSpan } from '../../../src/core/telemetry/spans/server-span.ts';
import { setTracing } from '../../../src/core/telemetry/spans/tracing.ts';
import { request } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { collectSpans, get, serve, type TestApp } from './harness.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const SAMPLED = `00-${TRACE}-${PARENT}-01`;
const UNSAMPLED = `00-${TRACE}-${PARENT}-00`;

describe("a caller's traceparent", () => {
  let spans: ServerSpan[];
  const apps: TestApp[] = [];
  before(() => {
    spans = collectSpans();
  });
  after(async () => {
    setTracing();
    await Promise.all(apps.map((app) => app.close()));
  });

  let inside: string | undefined;
  const start = async (env: Record<string, string>) => {
    const handler = get('/things/:id', (ctx) => {
      inside = trace.getActiveSpan()?.spanContext().spanId;
      ctx.respond.success({});
    });
    const app = await serve({ env, routes: [handler] });
    apps.push(app);
    return app;
  };
  /** The span of one request, and the trace that its answer names. */
  const ask = async (app: TestApp, traceparent?: string, headers: Record<string, string> = {}) => {
    const seen = spans.length;
    const answer = await request(`${app.url}/api/things/7`, {
      headers: { ...headers, ...(traceparent === undefined ? {} : { traceparent }) },
    });
    const flags = answer.headers.get('traceresponse')?.slice(-2);
    const span = flags === '01' ? await eventually(() => spans[seen]) : undefined;
    return { span, traceId: answer.body.meta.trace_id as string, flags };
  };

  for (const [what, env] of [
    ['TRACE_CONTEXT=always', { TRACE_CONTEXT: 'always' }],
    ['TRACE_CONTEXT=trusted, from a peer in TRUST_PROXY', { TRACE_CONTEXT: 'trusted', TRUST_PROXY: '127.0.0.0/8' }],
    ['TRACE_CONTEXT=trusted, behind one hop', { TRACE_CONTEXT: 'trusted', TRUST_PROXY: '1' }],
    ['nothing said, in a test', {}],
  ] as [string, Record<string, string>][]) {
    it(`is continued: ${what}`, async () => {
      const app = await start(env);
      const { span, traceId, flags } = await ask(app, SAMPLED);
      expect({ traceId, flags }).to.deep.equal({ traceId: TRACE, flags: '01' });
      expect(span?.parent?.spanId).to.equal(PARENT);
      expect(span?.links ?? []).to.deep.equal([]);
      expect(inside, 'what the handler does hangs under it').to.equal(span?.context.spanId);
      expect(await ask(app, UNSAMPLED), 'its wish not to be sampled too').to.deep.include({
        traceId: TRACE,
        flags: '00',
      });
    });
  }

  for (const [what, env] of [
    ['TRACE_CONTEXT=never', { TRACE_CONTEXT: 'never', TRUST_PROXY: '1' }],
    ['TRACE_CONTEXT=trusted, without a proxy', { TRACE_CONTEXT: 'trusted' }],
    ['TRACE_CONTEXT=trusted, no hop', { TRACE_CONTEXT: 'trusted', TRUST_PROXY: '0' }],
    [
      'TRACE_CONTEXT=trusted, from a peer outside of TRUST_PROXY',
      { TRACE_CONTEXT: 'trusted', TRUST_PROXY: '10.0.0.0/8' },
    ],
  ] as [string, Record<string, string>][]) {
    it(`of a stranger begins a new trace, linked to it: ${what}`, async () => {
      const { span, traceId } = await ask(await start(env), SAMPLED, { 'X-Forwarded-For': '10.0.0.1' });
      expect(traceId)
        .to.match(/^[0-9a-f]{32}$/)
        .and.not.equal(TRACE);
      expect(span?.parent).to.equal(undefined);
      expect(span?.links?.map(({ context }) => [context.traceId, context.spanId])).to.deep.equal([[TRACE, PARENT]]);
      expect(inside).to.equal(span?.context.spanId);
    });

    it(`of a stranger cannot switch sampling off: ${what}`, async () => {
      const { span, flags } = await ask(await start(env), UNSAMPLED);
      expect(flags).to.equal('01');
      expect(span?.links?.map(({ context }) => context.traceId)).to.deep.equal([TRACE]);
    });
  }

  for (const malformed of [
    '',
    'x',
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-01-extra`,
    `${SAMPLED}, ${SAMPLED}`,
    'a'.repeat(10_000),
  ]) {
    it(`that is none begins a new trace: ${malformed.slice(0, 60)}`, async () => {
      const [app = await start({ TRACE_CONTEXT: 'always' })] = apps;
      const { span, traceId } = await ask(app, malformed);
      expect(traceId)
        .to.match(/^[0-9a-f]{32}$/)
        .and.not.equal(TRACE);
      expect(span?.parent).to.equal(undefined);
      expect(span?.links ?? []).to.deep.equal([]);
    });
  }

  it('names the span by its route, never by the path', async () => {
    const [app = await start({})] = apps;
    const { span } = await ask(app);
    expect(span?.facts).to.include({ route: '/api/things/:id', path: '/api/things/7', status: 200 });
  });
});
