import { expect } from 'chai';
import fc from 'fast-check';
import { policyOf } from '../../../src/core/security/limits/policy.ts';
import { RateLimiter } from '../../../src/core/security/limits/rate-limiter.ts';
import { createRedis, type Redis, RedisAwayError } from '../../../src/db/redis/client.ts';
import { createSharedWindows } from '../../../src/db/redis/shared-windows.ts';
import { eventually } from '../../support/eventually.ts';
import { describeWithRedis, type RedisServer, startRedis } from './redis-server.ts';

const OPTIONS = { enabled: true, namesSettings: false, accountSecret: () => Buffer.from('a key') };
/** Any time since the epoch; the server keeps a window for as long as it is, by its own clock. */
const EPOCH = 1_764_000_000_000;

describeWithRedis('limits that are counted in Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  let now = EPOCH;
  let runs = 0;
  before(async () => {
    server = await startRedis();
    redis = createRedis(server.url, 'okapi-test');
    await redis.ping(10_000);
  });
  after(async () => {
    await redis.close();
    await server.kill();
  });
  const here = () => new RateLimiter({ ...OPTIONS, clock: () => now });
  const inRedis = () => {
    const shared = createSharedWindows(redis, { prefix: `run${runs++}`, clock: () => now });
    return new RateLimiter({ ...OPTIONS, shared });
  };

  const policies = fc.record({
    max: fc.integer({ min: 1, max: 90 }),
    longest: fc.constantFrom(0, 900),
  });
  const steps = fc.array(
    fc.record({
      gap: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 30_000 })),
      which: fc.constantFrom('first', 'second', 'both'),
      givesBack: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  );

  it('are decided as in memory, whatever comes', async () => {
    await fc.assert(
      fc.asyncProperty(policies, policies, steps, async (one, other, visits) => {
        const rules = [one, other].map(({ max, longest }, index) =>
          policyOf({ name: `limit-${'ab'[index]}`, max, windowSeconds: 60 }, longest),
        );
        const limiters = [here(), inRedis()].map((limiter) => {
          const hits = rules.map((policy) => ({ limit: limiter.limit(policy, 'test'), caller: 'somebody' }));
          return { limiter, hits };
        });
        for (const { gap, which, givesBack } of visits) {
          now += gap;
          const told = [];
          for (const { limiter, hits } of limiters) {
            const asked = which === 'both' ? hits : hits.slice(...(which === 'first' ? [0, 1] : [1, 2]));
            const decisions = await limiter.takeAll(asked);
            const [hit, decision] = [asked[0], decisions[0]];
            const wasCounted = decisions.every(({ isAllowed }) => isAllowed);
            if (givesBack && wasCounted && hit && decision) await limiter.giveBack(hit, decision);
            told.push(decisions.map(({ isShared: _isShared, ...rest }) => rest));
          }
          expect(told[1]).to.deep.equal(told[0]);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('are one count for all who ask at once', async () => {
    const policy = policyOf({ name: 'shared', max: 10, windowSeconds: 60 });
    const replicas = [0, 1, 2].map(
      () => new RateLimiter({ ...OPTIONS, shared: createSharedWindows(redis, { prefix: 'replicas' }) }),
    );
    const limits = replicas.map((replica) => replica.limit(policy, 'test'));
    const decisions = await Promise.all(
      Array.from({ length: 60 }, (_, n) => replicas[n % 3]?.takeAll([{ limit: limits[n % 3] as never, caller: 'x' }])),
    );
    expect(decisions.filter((each) => each?.[0]?.isAllowed)).to.have.length(10);
  });

  it('leave nothing behind: each key ends with its window', async () => {
    const limiter = new RateLimiter({ ...OPTIONS, shared: createSharedWindows(redis, { prefix: 'ends' }) });
    const limit = limiter.limit(policyOf({ name: 'short', max: 3, windowSeconds: 60 }), 'POST:/api/test');
    await limiter.take(limit, '192.0.2.1');
    const key = 'ends:limit:POST:/api/test:short:192.0.2.1';
    expect(await server.command('pttl', key)).to.be.within(1, 60_000);
  });

  it('are not counted under the address of an account, but under an HMAC of it', async () => {
    const limiter = inRedis();
    const caller = limiter.callerOfAccount('ada@example.org');
    expect(caller).to.match(/^[\w-]{22}$/);
    expect(caller).to.equal(here().callerOfAccount('ada@example.org'));
    expect(caller).to.not.equal(limiter.callerOfAccount('bob@example.org'));
    const other = new RateLimiter({ ...OPTIONS, accountSecret: () => Buffer.from('another key') });
    expect(caller).to.not.equal(other.callerOfAccount('ada@example.org'));
  });
});

describeWithRedis('the client of Redis', () => {
  it('says why it is away in words that hold no password, and nothing that was asked', async () => {
    const server = await startRedis(['--requirepass', 'the-right-one']);
    const redis = createRedis(`redis://:the-wrong-one@127.0.0.1:${server.port}`, 'okapi-test');
    try {
      const error = await redis.ping(10_000).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(RedisAwayError);
      expect(String(error)).to.match(/WRONGPASS|NOAUTH/);
      expect(JSON.stringify([error, Object.getOwnPropertyNames(error), String(error)])).to.not.include('wrong-one');
      expect(redis.isUp).to.equal(false);
    } finally {
      await redis.close();
      await server.kill();
    }
  });

  it('takes a server that refuses to write for one that is away', async () => {
    const server = await startRedis();
    const redis = createRedis(server.url, 'okapi-test');
    try {
      await redis.ping(10_000);
      await server.command('replicaof', '127.0.0.1', '1');
      const error = await redis.ping(10_000).catch((reason: unknown) => reason);
      expect(String(error)).to.include('READONLY');
      expect(redis.isUp).to.equal(false);
      await server.command('replicaof', 'no', 'one');
      await redis.ping(10_000);
      expect(redis.isUp).to.equal(true);
    } finally {
      await redis.close();
      await server.kill();
    }
  });

  it('knows at once when the server ends, and by itself when it is there again', async () => {
    const server = await startRedis();
    const redis = createRedis(server.url, 'okapi-test');
    let changes = 0;
    try {
      await redis.ping(10_000);
      redis.onChange(() => changes++);
      await server.kill();
      await eventually(() => !redis.isUp && changes === 1);
      await server.restart();
      await eventually(() => redis.isUp && changes === 2);
    } finally {
      await redis.close();
      await server.kill();
    }
  });
});
