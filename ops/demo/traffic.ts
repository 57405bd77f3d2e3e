import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Account, type Ask, roundOf, send, wrongPassword } from './mix.ts';

/*
 * `npm run demo:traffic` sends a bounded mix of good and bad requests to a running Okapi, so that dashboards and rules
 * have something to show. It registers two accounts of its own and deletes them at the end.
 *
 *   npm run demo:traffic -- --url http://localhost:3000 --seconds 60 --rate 20
 */

const MAX_SECONDS = 600;
const MAX_RATE = 200;
const MAX_IN_FLIGHT = 50;
const ACCOUNTS = 2;
/** Seconds between two wrong passwords of an account: limits of sign-ins are five a minute. */
const WRONG_PASSWORD_EVERY = 20;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:3000' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '20' },
  },
});
process.exitCode = await run();

async function run(): Promise<number> {
  const url = values.url.replace(/\/$/, '');
  const seconds = Number(values.seconds);
  const rate = Number(values.rate);
  if (!URL.canParse(url) || !LOOPBACK.test(new URL(url).hostname)) {
    return complain(`--url must lead to this machine, such as http://localhost:3000, not ${values.url}`);
  }
  if (!(seconds >= 1 && seconds <= MAX_SECONDS)) return complain(`--seconds must be 1 to ${MAX_SECONDS}`);
  if (!(rate >= 1 && rate <= MAX_RATE)) return complain(`--rate must be 1 to ${MAX_RATE} requests a second`);
  const counts = new Map<string, number>();
  const ask = async (request: Ask) => {
    const answer = await send(url, request).catch((error: Error) => ({ status: causeOf(error), data: undefined }));
    counts.set(String(answer.status), (counts.get(String(answer.status)) ?? 0) + 1);
    return answer;
  };
  const accounts = await openAccounts(ask);
  if (accounts.length === 0) process.stdout.write('No account could be opened: only anonymous requests are sent\n');
  await drive(ask, accounts, seconds, rate);
  for (const { accessToken, password } of accounts) {
    await ask({ method: 'DELETE', path: '/api/users/me', token: accessToken, body: { current_password: password } });
  }
  const statuses = [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([status, count]) => `${status}: ${count}`);
  process.stdout.write(`${statuses.join('  ')}\n`);
  const answered = [...counts.keys()].some((status) => /^\d+$/.test(status));
  return answered ? 0 : complain(`Nothing answered at ${url}: start Okapi by npm start`);
}

/** The accounts of this run; fewer where registering is limited. */
async function openAccounts(ask: (request: Ask) => Promise<{ data: Answered['data'] }>): Promise<Account[]> {
  const accounts: Account[] = [];
  for (let opened = 0; opened < ACCOUNTS; opened++) {
    const body = {
      email: `demo-${randomBytes(4).toString('hex')}@example.org`,
      password: randomBytes(18).toString('hex'),
    };
    await ask({ method: 'POST', path: '/api/auth/register', body });
    const { data } = await ask({ method: 'POST', path: '/api/auth/login', body });
    if (data === undefined) continue;
    const first = { ...body, accessToken: data['access_token'] ?? '', refreshToken: data['refresh_token'] ?? '' };
    const refreshed = await ask({
      method: 'POST',
      path: '/api/auth/refresh',
      body: { refresh_token: first.refreshToken },
    });
    accounts.push({ ...first, accessToken: refreshed.data?.['access_token'] ?? first.accessToken });
  }
  return accounts;
}

type Answered = Awaited<ReturnType<typeof send>>;

/** Sends round after round at the rate, whether answers come or not; beyond the bound in flight, a beat is left out. */
async function drive(
  ask: (request: Ask) => Promise<unknown>,
  accounts: readonly Account[],
  seconds: number,
  rate: number,
): Promise<void> {
  const mix = roundOf(accounts);
  const inFlight = new Set<Promise<unknown>>();
  const startedAt = performance.now();
  let nextWrongPassword = 0;
  for (let sent = 0; sent < seconds * rate; sent++) {
    await delay(Math.max(0, startedAt + (sent * 1000) / rate - performance.now()));
    const request = mix[sent % mix.length];
    if (inFlight.size >= MAX_IN_FLIGHT || request === undefined) continue;
    const due = sent / rate >= nextWrongPassword ? accounts.map(wrongPassword) : [];
    if (due.length > 0) nextWrongPassword += WRONG_PASSWORD_EVERY;
    for (const each of [request, ...due]) {
      const answered = ask(each).finally(() => inFlight.delete(answered));
      inFlight.add(answered);
    }
  }
  await Promise.all(inFlight);
}

function causeOf(error: Error): string {
  const { code } = (error.cause ?? {}) as { code?: string };
  return code ?? error.name;
}

function complain(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}
