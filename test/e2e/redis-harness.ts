import type { RedisServer } from '../db/redis/redis-server.ts';
import { post, request } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import type { LogLine, Service, ServiceOptions } from '../support/service.ts';

const KEYS = { ACCESS_TOKEN_SIGNING_KEY: 'K7'.repeat(20), REFRESH_TOKEN_SIGNING_KEY: 'Q3'.repeat(20) };
/** Sign-ins to an account from an address, in a minute. */
export const LOGIN_LIMIT = 5;

/** For `start()`: a service that counts in `redis`; on the databases of `other` where that is given. */
export function withRedis(redis: RedisServer, other?: Service): ServiceOptions {
  return {
    env: {
      // What is looked for is not to be rotated away.
      ACCESS_LOG: 'off',
      ...KEYS,
      REDIS_URL: redis.url,
      TRUST_PROXY: '1',
      RATE_LIMIT_LOGIN_ACCOUNT: String(LOGIN_LIMIT),
      ...(other && { DATABASE_URL: other.stores.databaseUrl, MONGO_URL: other.stores.mongoUrl }),
    },
    stores: other === undefined ? 'shared' : 'none',
  };
}

/** How a service says that Redis is. */
export async function healthOf({ url }: Service) {
  const { status, body } = await request(`${url}/health/ready`);
  return { status, health: body.data.status, redis: body.data.dependencies.redis };
}

/** Waits until a service says so. */
export async function becomes(service: Service, state: 'up' | 'down'): Promise<void> {
  await eventually(async () => (await healthOf(service)).redis.state === state);
}

/** A metric of a service, over all its series that are written so far. */
export async function metricOf({ url }: Service, series: string): Promise<number> {
  const { text } = await request(`${url}/metrics/${series.replace(/\{.*/, '')}`);
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length));
}

/** The lines of a service that begin so, once there are that many. */
export async function linesOf(service: Service, message: string, times: number): Promise<LogLine[]> {
  const found = () => service.logLines().filter((line) => line.message.startsWith(message));
  await eventually(() => found().length >= times);
  return found();
}

let addresses = 0;
/** An address that nobody has used yet. */
export const freshAddress = () => `198.18.${addresses >> 8}.${addresses++ & 255}`;

/** Tries to sign in with a wrong password. Resolves to the status. */
export async function guess({ url }: Service, email: string, address: string): Promise<number> {
  const body = { email, password: 'wrong horse battery' };
  return (await post(`${url}/api/auth/login`, body, { 'X-Forwarded-For': address })).status;
}
