import { context } from '@opentelemetry/api';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';
import { withUserBoosts } from '../../../src/core/http/boosted-user.ts';
import type { Middleware } from '../../../src/core/http/state.ts';
import { ledger } from '../../../src/core/telemetry/ledger.ts';
import { SamplingBoosts } from '../../../src/core/telemetry/sampling-boosts.ts';
import { ClientSpanShape, startClientSpan } from '../../../src/core/telemetry/spans/client-span.ts';
import type { ServerSpan } from '../../../src/core/telemetry/spans/server-span.ts';
import { endClientSpan, setTracing } from '../../../src/core/telemetry/spans/tracing.ts';
import { request } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { get, serve, type TestApp } from './harness.ts';

const ADA = '7b84c50e-aabd-45ee-9682-ba0c64f005a7';
const GRACE = '0c7a9d0e-2f6b-4a39-8d4c-6f3f0d6f7a11';

function statement(name: string): void {
  const span = startClientSpan(new ClientSpanShape({ name: 'test' }, name, {}), context.active());
  if (span !== undefined) endClientSpan(span);
}

/** Takes a user at their word, after a statement. */
const authenticate: Middleware = async (ctx, next) => {
  statement('find session');
  const userId = ctx.get('X-User');
  ctx.state.principal = { userId, sessionId: '', roles: [], email: '', createdAt: new Date() };
  await next();
};

describe('a request of a user whose sampling is boosted', () => {
  const boosts = new SamplingBoosts();
  const spans: ServerSpan[] = [];
  const statements: string[] = [];
  let app: TestApp;
  before(async () => {
    const things = get('/things', (ctx) => {
      statement('find things');
      ctx.respond.success({});
    });
    app = await serve({
      env: { TRACE_CONTEXT: 'always' },
      routes: [{ ...things, authenticated: true }],
      authenticate: withUserBoosts(authenticate, boosts),
    });
  });
  beforeEach(() => {
    spans.splice(0);
    statements.splice(0);
    setTracing({
      sampler: new AlwaysOffSampler(),
      enabled: true,
      onEnd: (span) => spans.push(span),
      onClientEnd: ({ shape }) => statements.push(shape.name),
      onJobEnd: () => undefined,
    });
    boosts.set({ userId: ADA }, 60);
  });
  after(async () => {
    setTracing();
    for (const { key } of boosts.list()) boosts.remove(key);
    await app.close();
  });

  const ask = async (userId: string, headers: Record<string, string> = {}) => {
    const answer = await request(`${app.url}/api/things`, { headers: { ...headers, 'X-User': userId } });
    return answer.headers.get('traceresponse')?.slice(-2);
  };

  it('is sampled as a whole, but for what was done before it was known whose it is', async () => {
    const before = ledger.spans.view().sampled_out;
    expect(await ask(ADA)).to.equal('01');
    const span = await eventually(() => spans[0]);
    expect(span.attributes).to.deep.include({ 'okapi.sampling.boost': 'user' });
    expect(span.facts).to.include({ route: '/api/things', status: 200 });
    expect(statements).to.deep.equal(['find things']);
    expect(ledger.spans.view().sampled_out, 'only the statement is counted as left out').to.equal(before + 1);
  });

  it('is not, when it is of somebody else, continues a trace, or nothing is traced at all', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
    expect([await ask(GRACE), await ask(ADA, { traceparent })]).to.deep.equal(['00', '00']);
    setTracing();
    expect(await ask(ADA)).to.equal('00');
    expect({ spans, statements }).to.deep.equal({ spans: [], statements: [] });
  });
});
