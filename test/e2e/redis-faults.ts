import { expect } from 'chai';
import { type RedisServer, startRedis } from '../db/redis/redis-server.ts';
import { bearer, freshCredentials, request, signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import type { Service, ServiceOptions } from '../support/service.ts';
import { becomes, freshAddress, guess, healthOf, LOGIN_LIMIT, linesOf, metricOf, withRedis } from './redis-harness.ts';

const UP = 'okapi_dependency_up{dependency="redis"}';
const LOCAL = 'okapi_rate_limit_local_total';

/**
 * Lets the Redis that two services share hang, go on, be killed and come back, `rounds` times, while both are asked all
 * the time. Expects that nobody notices, that limits hold within each service while it is away and over both while it is
 * there, and that each change is said once, in the log and by the metric.
 */
export async function breakRedis(start: (options: ServiceOptions) => Promise<Service>, rounds: number): Promise<void> {
  const redis = await startRedis();
  try {
    const first = await start(withRedis(redis));
    const services = [first, await start(withRedis(redis, first))];
    const traffic = await startAsking(services);
    const both = <T>(check: (service: Service) => Promise<T>) => Promise.all(services.map(check));

    await both((each) => becomes(each, 'up'));
    await expectCountedTogether(services, redis);
    for (let round = 0; round < rounds; round++) {
      for (const fault of [hang, end]) {
        const local = await Promise.all(services.map((each) => metricOf(each, LOCAL)));
        const resume = await fault(redis);
        await both(async (each) => {
          await becomes(each, 'down');
          expect(await healthOf(each)).to.deep.include({ status: 200, health: 'degraded' });
          expect(await metricOf(each, UP)).to.equal(0);
        });
        await traffic.goOn();
        await expectCountedApart(services);
        const after = await Promise.all(services.map((each) => metricOf(each, LOCAL)));
        expect(after.map((count, n) => count > (local[n] as number))).to.deep.equal([true, true]);
        await resume();
        await both((each) => eventually(async () => (await metricOf(each, UP)) === 1));
        await traffic.goOn();
        await expectCountedTogether(services, redis);
      }
    }
    expect(await traffic.stop(), 'nothing but the usual answers').to.have.members([200, 401]);
    // The databases are those of the first.
    for (const each of services.toReversed()) {
      await expectSaidOnce(each, 2 * rounds);
      expect(each.stderr()).to.not.include('ioredis');
      expect(await each.stop()).to.deep.equal({ code: 0, signal: null });
      expect(each.logLines('error')).to.deep.equal([]);
    }
  } finally {
    await redis.kill();
  }
}

async function hang(redis: RedisServer) {
  redis.signal('SIGSTOP');
  return async () => redis.signal('SIGCONT');
}

async function end(redis: RedisServer) {
  await redis.kill();
  return () => redis.restart();
}

/** Two clients a service, who are signed in and who are not, and ask until they are stopped. */
async function startAsking(services: readonly Service[]) {
  const statuses = new Set<number>();
  let answered = 0;
  let isOver = false;
  const ask = async (url: string, headers: Record<string, string>) => {
    while (!isOver) {
      statuses.add((await request(`${url}/api/users/me`, { headers })).status);
      answered++;
    }
  };
  const { accessToken } = await signIn(services[0]?.url ?? '');
  const clients = services.flatMap(({ url }) => [ask(url, {}), ask(url, bearer(accessToken))]);
  return {
    /** Waits for some more answers. */
    async goOn() {
      const before = answered;
      await eventually(() => answered > before + 50);
    },
    /** Resolves to the statuses of all answers. */
    async stop() {
      isOver = true;
      await Promise.all(clients);
      return [...statuses];
    },
  };
}

/** As many guesses at an account from an address at each service as the limit says. */
async function expectCountedApart(services: readonly Service[]): Promise<void> {
  const { email } = freshCredentials();
  const address = freshAddress();
  for (const service of services) {
    const statuses = [];
    for (let n = 0; n <= LOGIN_LIMIT; n++) statuses.push(await guess(service, email, address));
    expect(statuses).to.deep.equal([...Array(LOGIN_LIMIT).fill(401), 429]);
  }
}

/** As many at all of them together. On a busy machine Redis may once more be slow, and be found away for a moment. */
async function expectCountedTogether(services: readonly Service[], redis: RedisServer): Promise<void> {
  await eventually(async () => {
    const { email } = freshCredentials();
    const address = freshAddress();
    const statuses = [];
    for (let n = 0; n < LOGIN_LIMIT + 2; n++) {
      statuses.push(await guess(services[n % services.length] as Service, email, address));
    }
    return statuses.join() === [...Array(LOGIN_LIMIT).fill(401), 429, 429].join();
  });
  const keys = (await redis.command('keys', '*')) as string[];
  expect(keys.filter((key) => key.startsWith('okapi:limit:'))).to.not.deep.equal([]);
  expect(keys.join('\n'), 'no address of an account').to.not.include('@');
}

/** Each time that Redis went, and `times` at least, one warning; before the next one, one line that it is back. */
async function expectSaidOnce(service: Service, times: number): Promise<void> {
  await linesOf(service, 'redis is back', times);
  const lines = await linesOf(service, 'redis is ', 2 * times);
  const said = lines.map(({ level, message }) => `${level} ${message}`);
  expect(said).to.deep.equal(said.map((_line, n) => (n % 2 === 0 ? 'WARNING redis is away' : 'INFO redis is back')));
}
