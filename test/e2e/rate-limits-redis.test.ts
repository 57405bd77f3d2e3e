import { expect } from 'chai';
import { describeWithRedis, type RedisServer, startRedis } from '../db/redis/redis-server.ts';
import { freshCredentials, post, request } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import type { Service } from '../support/service.ts';
import { useServices } from '../support/use-services.ts';

const KEYS = { ACCESS_TOKEN_SIGNING_KEY: 'K7'.repeat(20), REFRESH_TOKEN_SIGNING_KEY: 'Q3'.repeat(20) };
const LOGIN_LIMIT = 5;

describeWithRedis('two instances with one Redis', () => {
  const services = useServices();
  let redis: RedisServer;
  let first: Service;
  let second: Service;
  after(() => redis?.kill());

  const start = (env: Record<string, string> = {}) =>
    services.start({
      env: {
        ...KEYS,
        REDIS_URL: redis.url,
        TRUST_PROXY: '1',
        RATE_LIMIT_LOGIN_ACCOUNT: String(LOGIN_LIMIT),
        ...env,
      },
      stores: env['DATABASE_URL'] === undefined ? 'shared' : 'none',
    });
  const healthOf = async ({ url }: Service) => {
    const { status, body } = await request(`${url}/health/ready`);
    return { status, health: body.data.status, redis: body.data.dependencies.redis };
  };
  const gaugeOf = async ({ url }: Service) =>
    /okapi_dependency_up\{dependency="redis"\} (\d)/.exec(
      (await request(`${url}/metrics/okapi_dependency_up`)).text,
    )?.[1];
  const becomes = (service: Service, state: 'up' | 'down') =>
    eventually(async () => (await healthOf(service)).redis.state === state);
  const linesOf = async (service: Service, message: string, times: number) => {
    const found = () => service.logLines().filter((line) => line.message.startsWith(message));
    await eventually(() => found().length >= times);
    return found();
  };
  let addresses = 0;
  const freshAddress = () => `203.0.113.${addresses++}`;
  const login = async ({ url }: Service, email: string, address: string) =>
    (await post(`${url}/api/auth/login`, { email, password: 'wrong horse battery' }, { 'X-Forwarded-For': address }))
      .status;

  before(async () => {
    redis = await startRedis();
    first = await start();
  });

  it('say how Redis is', async () => {
    await becomes(first, 'up');
    // The other stores are asked too, and one may have been slow to answer.
    await eventually(async () => (await healthOf(first)).health === 'ok');
    expect(await healthOf(first)).to.have.property('status', 200);
    expect((await healthOf(first)).redis).to.include({ state: 'up', required: false });
    expect(await gaugeOf(first)).to.equal('1');
  });

  it('answer every request while Redis hangs, ends and comes back, say each change once, and go on limiting', async () => {
    let isOver = false;
    const statuses = new Set<number>();
    let answered = 0;
    const client = async () => {
      while (!isOver) {
        statuses.add((await request(`${first.url}/api/users/me`)).status);
        answered++;
      }
    };
    const clients = Array.from({ length: 4 }, client);
    const moreAnswers = () => {
      const before = answered;
      return eventually(() => answered > before + 50);
    };
    await moreAnswers();

    redis.signal('SIGSTOP');
    await becomes(first, 'down');
    expect(await healthOf(first)).to.deep.include({ status: 200, health: 'degraded' });
    expect(await gaugeOf(first)).to.equal('0');
    await moreAnswers();
    const [email, address] = [freshCredentials().email, freshAddress()];
    const tried = [];
    for (let n = 0; n <= LOGIN_LIMIT; n++) tried.push(await login(first, email, address));
    expect(tried, 'limits go on in memory').to.deep.equal([...Array(LOGIN_LIMIT).fill(401), 429]);
    redis.signal('SIGCONT');
    await becomes(first, 'up');
    await moreAnswers();

    await redis.kill();
    await becomes(first, 'down');
    await moreAnswers();
    await redis.restart();
    await becomes(first, 'up');
    await moreAnswers();
    isOver = true;
    await Promise.all(clients);

    expect([...statuses], 'nothing but the usual answer').to.deep.equal([401]);
    expect((await linesOf(first, 'redis is away', 2)).map(({ level }) => level)).to.deep.equal(['WARNING', 'WARNING']);
    expect(await linesOf(first, 'redis is back', 2)).to.have.length(2);
    expect(await gaugeOf(first)).to.equal('1');
  });

  it('start without it, which is said once, and limit by themselves until it is there', async () => {
    await redis.kill();
    const { databaseUrl, mongoUrl } = first.stores;
    second = await start({ DATABASE_URL: databaseUrl, MONGO_URL: mongoUrl });
    expect(await healthOf(second)).to.deep.include({ status: 200, health: 'degraded' });
    expect((await healthOf(second)).redis.last_error).to.match(/ECONNREFUSED/);
    const [email, address] = [freshCredentials().email, freshAddress()];
    for (let n = 0; n < LOGIN_LIMIT; n++) expect(await login(second, email, address)).to.equal(401);
    expect(await login(second, email, address)).to.equal(429);
    expect(await linesOf(second, 'redis is away', 1)).to.have.length(1);
    expect(second.stderr()).to.not.include('ioredis');
  });

  it('count together once both have it', async () => {
    await redis.restart();
    await Promise.all([becomes(first, 'up'), becomes(second, 'up')]);
    const [email, address] = [freshCredentials().email, freshAddress()];
    const tried = [];
    for (let n = 0; n < LOGIN_LIMIT + 2; n++) tried.push(await login(n % 2 === 0 ? first : second, email, address));
    expect(tried).to.deep.equal([...Array(LOGIN_LIMIT).fill(401), 429, 429]);
    const keys = (await redis.command('keys', '*')) as string[];
    expect(keys.filter((key) => key.startsWith('okapi:limit:'))).to.not.deep.equal([]);
    expect(keys.join('\n'), 'no address of an account').to.not.include('@');
  });

  it('let guesses at one account, from everywhere and at both, have fifty tries together', async () => {
    const { email } = freshCredentials();
    const guess = (_: unknown, n: number) => login(n % 2 === 0 ? first : second, email, freshAddress());
    const statuses = await Promise.all(Array.from({ length: 90 }, guess));
    const count = (status: number) => statuses.filter((each) => each === status).length;
    // Where more wait for their turn at once than are let in, a guess is neither checked nor counted.
    expect(count(401) + count(429) + count(503)).to.equal(90);
    expect(count(401)).to.be.at.most(60);
    expect(count(401) + count(503)).to.be.at.least(50);
  });
});
