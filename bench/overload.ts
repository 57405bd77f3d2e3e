import { setTimeout as delay } from 'node:timers/promises';
import { request, requestJson } from './load/request.ts';
import { type Attack, type AttackResult, attack, percentileMs } from './load/vegeta.ts';
import { USER_AGENT } from './measure.ts';
import { METRICS_TOKEN } from './okapi-settings.ts';
import { finding, limit } from './soak.ts';
import type { Finding } from './steady.ts';
import type { Workbench } from './workbench.ts';

const WARM_UP_SECONDS = 15;
const SECONDS = 20;
const TIMES = 3;
const GOODPUT = 0.8;
const SHED_P99_MS = 10;
const STOPPED_MS = 4_000;
const EVENTS = 100;
const ASK_EVERY_MS = 250;

/**
 * A page of a hundred events at three times what the server can do: who is answered, who is refused and how fast, and
 * who never is.
 */
export async function measureOverload(bench: Workbench, folder: string): Promise<Finding[]> {
  const { signal } = bench;
  const server = await bench.start('okapi');
  const { url, pid } = server.running;
  const headers = { 'User-Agent': USER_AGENT, Authorization: `Bearer ${await userWithEvents(url)}` };
  const page = { url: `${url}/api/activity?limit=${EVENTS}`, headers };
  const run = (options: Pick<Attack, 'rate' | 'seconds' | 'workers'>) =>
    attack({ ...page, ...options }, folder, signal);

  bench.say('overload   warm-up');
  await run({ rate: 0, seconds: WARM_UP_SECONDS, workers: 64 });
  const peak = goodput(await run({ rate: 0, seconds: SECONDS, workers: 64 }), SECONDS);
  bench.say(`overload   ${peak.toFixed(0)} requests/s at most`);
  const below = await run({ rate: Math.round(peak * GOODPUT), seconds: SECONDS, workers: 1000 });

  bench.say(`overload   ${TIMES} times that`);
  const watching = new AbortController();
  const watched = watch(url, watching.signal);
  const above = await run({ rate: Math.round(peak * TIMES), seconds: SECONDS, workers: 20_000 });
  watching.abort();
  const refusedHealth = await watched;

  bench.say(`overload   stopped for ${STOPPED_MS} ms`);
  const around = run({ rate: 100, seconds: 10, workers: 2000 });
  await delay(STOPPED_MS / 2, undefined, { signal });
  process.kill(pid, 'SIGSTOP');
  await delay(STOPPED_MS).finally(() => process.kill(pid, 'SIGCONT'));
  const stopped = await around;
  await bench.stop(server);

  const share = goodput(above, SECONDS) / peak;
  const shed = above.byStatus.get(503);
  return [
    finding('overload: answered with 200, over the peak', share.toFixed(2), `at least ${GOODPUT}`, share >= GOODPUT),
    finding(
      'overload: refused with 503',
      `${shed?.count ?? 0} of ${total(above)}`,
      'some',
      Number(shed?.count ?? 0) > 0,
    ),
    limit('overload: p99 of a 503', percentileMs(shed, 99), SHED_P99_MS, 'ms'),
    none('overload: anything but 200 and 503', total(above) - Number(shed?.count ?? 0) - count(above, 200)),
    none('overload: refused at 80 % of the peak', total(below) - count(below, 200)),
    none('overload: health or metrics refused', refusedHealth),
    none('overload: refused after four seconds of SIGSTOP', total(stopped) - count(stopped, 200)),
  ];
}

const count = ({ byStatus }: AttackResult, status: number) => Number(byStatus.get(status)?.count ?? 0);
const total = ({ byStatus }: AttackResult) => [...byStatus.values()].reduce((sum, each) => sum + Number(each.count), 0);
const goodput = (result: AttackResult, seconds: number) => count(result, 200) / seconds;

function none(what: string, seen: number): Finding {
  return finding(what, String(seen), '0', seen === 0);
}

/** Signs in as often as it takes to fill a page of events. Resolves to an access token. */
async function userWithEvents(url: string): Promise<string> {
  const body = { email: `steady-${process.pid}@example.org`, password: 'long enough for a benchmark' };
  const post = { method: 'POST', body };
  await requestJson(`${url}/api/auth/register`, post);
  let token = '';
  for (let n = 0; n < EVENTS; n++) {
    const answer = await requestJson<{ data: { access_token: string } }>(`${url}/api/auth/login`, post);
    token = answer.data.access_token;
  }
  return token;
}

/** How often health or metrics were not answered with 200 until the signal aborts. */
async function watch(url: string, signal: AbortSignal): Promise<number> {
  let refused = 0;
  while (!signal.aborted) {
    const answers = await Promise.allSettled([
      request(`${url}/health/live`),
      request(`${url}/metrics/app_requests_total`, { headers: { Authorization: `Bearer ${METRICS_TOKEN}` } }),
    ]);
    refused += answers.filter((answer) => answer.status === 'rejected' || answer.value.status !== 200).length;
    await delay(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  return refused;
}
