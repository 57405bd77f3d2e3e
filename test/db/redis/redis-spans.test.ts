import { context, ROOT_CONTEXT, SpanKind, TraceFlags } from '@opentelemetry/api';
import { expect } from 'chai';
import { policyOf } from '../../../src/core/security/limits/policy.ts';
import { RateLimiter } from '../../../src/core/security/limits/rate-limiter.ts';
import type { ClientSpan } from '../../../src/core/telemetry/spans/client-span.ts';
import { setTracing } from '../../../src/core/telemetry/spans/tracing.ts';
import { createRedis, type Redis } from '../../../src/db/redis/client.ts';
import { createSharedWindows } from '../../../src/db/redis/shared-windows.ts';
import { collectClientSpans, inRequest } from '../../support/client-spans.ts';
import { describeWithRedis, type RedisServer, startRedis } from './redis-server.ts';

describeWithRedis('the span of a call to Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  let spans: ClientSpan[];

  before(async () => {
    server = await startRedis(['--maxmemory-policy', 'noeviction']);
    redis = createRedis(`${server.url}/3`, 'okapi-test');
    await redis.ping(10_000);
    spans = collectClientSpans();
  });
  afterEach(() => spans.splice(0));
  after(async () => {
    setTracing();
    await redis.close();
    await server.kill();
  });

  async function visit(): Promise<void> {
    const shared = createSharedWindows(redis, { prefix: 'spans' });
    const limiter = new RateLimiter({
      enabled: true,
      namesSettings: false,
      accountSecret: () => Buffer.from('a key'),
      shared,
    });
    const hits = ['one', 'two'].map((name) => ({
      limit: limiter.limit(policyOf({ name, max: 5, windowSeconds: 60 }, 0), 'test'),
      caller: 'ada@example.org',
    }));
    await shared.take(hits);
  }

  it('is one a check of limits, under the request that is checked', async () => {
    await inRequest(visit);
    const [span, ...more] = spans;
    expect(more).to.deep.equal([]);
    expect(span?.shape).to.deep.include({ name: 'EVALSHA okapiTake', kind: SpanKind.CLIENT });
    expect(span?.shape.attributes).to.deep.equal({
      'db.system.name': 'redis',
      'db.namespace': '3',
      'db.operation.name': 'EVALSHA',
      'db.stored_procedure.name': 'okapiTake',
      'server.address': '127.0.0.1',
      'server.port': server.port,
    });
    expect(span?.failure).to.equal(undefined);
    expect(span?.context.traceId).to.equal(span?.parent.traceId);
  });

  it('tells a failure by its kind, and neither who asked nor what Redis said', async () => {
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await inRequest(visit);
    } finally {
      await server.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    expect(spans[0]?.failure).to.deep.equal({ type: 'OOM', message: 'Redis did not answer: OOM' });
    await redis.ping(10_000);
  });

  it('is not made outside of a request, nor in one that is not sampled, nor for a probe', async () => {
    await context.with(ROOT_CONTEXT, visit);
    await inRequest(visit, TraceFlags.NONE);
    await inRequest(() => redis.ping(10_000));
    expect(spans).to.deep.equal([]);
  });
});
