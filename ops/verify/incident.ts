import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Account, type Ask, send } from '../demo/mix.ts';
import type { Way } from './way.ts';

/** What the incident is done to. */
export type Scene = {
  readonly url: string;
  readonly databaseUrl: string;
  readonly mongo: Way;
  readonly account: Account;
};

/** When something was done, and the answers that its requests got, by status. */
export type Act = { readonly fromMs: number; readonly statuses: ReadonlyMap<number, number> };

const EVERY_MS = 100;
/** How long somebody else holds the lock at a time: longer than half a second, which is slow. */
const LOCKED_MS = 900;
/** Between two locks, for the requests that wait to get through. */
const FREE_MS = 50;

/** Registers and signs in who asks during the incident. */
export async function openAccount(url: string): Promise<Account> {
  const body = { email: 'incident@example.org', password: 'nothing lasts for ever here' };
  await send(url, { method: 'POST', path: '/api/auth/register', body });
  const { data } = await send(url, { method: 'POST', path: '/api/auth/login', body });
  if (data === undefined) throw new Error('The account of the incident could not sign in');
  return { ...body, accessToken: data['access_token'] ?? '', refreshToken: data['refresh_token'] ?? '' };
}

/** Asks for one path ten times a second for `seconds`, waiting for no answer, and resolves when all are answered. */
export async function ask({ url, account }: Scene, path: string, seconds: number): Promise<Act> {
  const fromMs = Date.now();
  const statuses = new Map<number, number>();
  const asked: Promise<void>[] = [];
  const request: Ask = { method: 'GET', path, token: account.accessToken };
  for (let sent = 0; sent < (seconds * 1000) / EVERY_MS; sent++) {
    asked.push(
      send(url, request).then(({ status }) => {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }),
    );
    await delay(EVERY_MS);
  }
  await Promise.all(asked);
  return { fromMs, statuses };
}

/** A slow query: another session locks the table of sessions again and again, and everybody who asks has to wait. */
export function slowQuery(scene: Scene, seconds: number): Promise<Act> {
  return withDatabase(scene, async (other) => {
    let isOver = false;
    const locking = (async () => {
      while (!isOver) {
        await other.query('begin; lock table sessions in access exclusive mode');
        await delay(LOCKED_MS);
        await other.query('commit');
        await delay(FREE_MS);
      }
    })();
    const act = await ask(scene, '/api/users/me', seconds);
    isOver = true;
    await locking;
    return act;
  });
}

/** A burst of errors: the table of sessions is not where the service looks for it, as after a migration gone wrong. */
export function failingStatement(scene: Scene, seconds: number): Promise<Act> {
  return withDatabase(scene, async (other) => {
    await other.query('alter table sessions rename to sessions_elsewhere');
    const act = await ask(scene, '/api/users/me', seconds);
    await other.query('alter table sessions_elsewhere rename to sessions');
    return act;
  });
}

/** Mongo is away, as seen from the service, until the way is mended. */
export async function mongoAway(scene: Scene, seconds: number): Promise<Act> {
  await scene.mongo.cut();
  return ask(scene, '/api/activity', seconds);
}

async function withDatabase<T>({ databaseUrl }: Scene, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'somebody-else' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
