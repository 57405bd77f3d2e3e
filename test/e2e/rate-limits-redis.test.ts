import { expect } from 'chai';
import { describeWithRedis, type RedisServer, startRedis } from '../db/redis/redis-server.ts';
import { freshCredentials } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import type { Service } from '../support/service.ts';
import { useServices } from '../support/use-services.ts';
import { breakRedis } from './redis-faults.ts';
import { becomes, freshAddress, guess, healthOf, LOGIN_LIMIT, linesOf, metricOf, withRedis } from './redis-harness.ts';

describeWithRedis('Redis that hangs, is killed and comes back while two instances are asked', () => {
  const { start } = useServices();

  it('is noticed by nobody, said once each time, and limits go on', () => breakRedis(start, 1));
});

describeWithRedis('instances with one Redis', () => {
  const services = useServices();
  let redis: RedisServer;
  let first: Service;
  let second: Service;
  before(async () => {
    redis = await startRedis();
    first = await services.start(withRedis(redis));
  });
  after(() => redis?.kill());

  it('say how Redis is', async () => {
    await becomes(first, 'up');
    // The other stores are asked too, and one may have been slow to answer.
    await eventually(async () => (await healthOf(first)).health === 'ok');
    expect(await healthOf(first)).to.have.property('status', 200);
    expect((await healthOf(first)).redis).to.include({ state: 'up', required: false });
    expect(await metricOf(first, 'okapi_dependency_up{dependency="redis"}')).to.equal(1);
  });

  it('start without it, which is said once, and limit by themselves until it is there', async () => {
    await redis.kill();
    second = await services.start(withRedis(redis, first));
    expect(await healthOf(second)).to.deep.include({ status: 200, health: 'degraded' });
    expect((await healthOf(second)).redis.last_error).to.match(/ECONNREFUSED/);
    const [email, address] = [freshCredentials().email, freshAddress()];
    for (let n = 0; n < LOGIN_LIMIT; n++) expect(await guess(second, email, address)).to.equal(401);
    expect(await guess(second, email, address)).to.equal(429);
    expect(await linesOf(second, 'redis is away', 1)).to.have.length(1);
    expect(second.stderr()).to.not.include('ioredis');
  });

  it('let guesses at one account, from everywhere and at both, have fifty tries together', async () => {
    await redis.restart();
    await Promise.all([becomes(first, 'up'), becomes(second, 'up')]);
    const { email } = freshCredentials();
    const guesses = Array.from({ length: 90 }, (_, n) => guess(n % 2 === 0 ? first : second, email, freshAddress()));
    const statuses = await Promise.all(guesses);
    const count = (status: number) => statuses.filter((each) => each === status).length;
    // Where more wait for their turn at once than are let in, a guess is neither checked nor counted.
    expect(count(401) + count(429) + count(503)).to.equal(90);
    expect(count(401)).to.be.at.most(60);
    expect(count(401) + count(503)).to.be.at.least(50);
  });
});
