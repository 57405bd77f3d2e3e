import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { request } from './load/request.ts';
import { type Attack, type AttackResult, attack, percentileMs } from './load/vegeta.ts';
import { send } from './measure.ts';
import { METRICS_TOKEN } from './okapi-settings.ts';
import { type Finding, finding, limit } from './report/findings.ts';
import { watchTaken } from './report/taken.ts';
import { startOkapi } from './start-candidates.ts';
import type { Workbench } from './workbench.ts';

const WARM_UP_SECONDS = 4;
const STATEMENT_MS = 40;
const SECONDS = 20;
const TIMES = 3;
const GOODPUT = 0.8;
const SHED_P99_MS = 10;
const STOPPED_MS = 4_000;
const ASK_EVERY_MS = 250;

/**
 * `GET /api/users/me` on a slow PostgreSQL, at three times what can be answered: who is answered, who is refused and how
 * fast, and who never is. A slow store is the common cause. It is so slow that the load, which takes 0.2 ms of the core it
 * shares with the store for each request, leaves the store what that needs.
 */
export async function measureOverload(bench: Workbench, folder: string): Promise<Finding[]> {
  const { signal } = bench;
  const candidate = await startOkapi(bench, 'okapi-users');
  const { server, subject, headers } = candidate;
  const { url, pid } = server.running;
  const target = { url: url + subject.path, headers };
  const run = (options: Pick<Attack, 'rate' | 'seconds' | 'workers'>) =>
    attack({ ...target, ...options }, folder, signal);

  bench.say('overload   warm-up');
  await send(bench, candidate, bench.options.warmUp, WARM_UP_SECONDS);
  await slowDown(bench.databaseUrl, STATEMENT_MS);
  const peak = goodput(await run({ rate: 0, seconds: SECONDS, workers: 64 }), SECONDS);
  bench.say(`overload   ${peak.toFixed(0)} requests/s at most`);
  const below = await run({ rate: Math.round(peak * GOODPUT), seconds: SECONDS, workers: 1000 });

  bench.say(`overload   ${TIMES} times that`);
  const watching = new AbortController();
  const watched = watch(url, watching.signal);
  const taken = watchTaken();
  const above = await run({ rate: Math.round(peak * TIMES), seconds: SECONDS, workers: 20_000 });
  const takenShare = taken();
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
  const shed = above.byStatus.get('shed');
  return [
    finding('overload: answered with 200, over the peak', share.toFixed(2), `at least ${GOODPUT}`, share >= GOODPUT),
    finding('overload: shed', `${shed?.count ?? 0} of ${total(above)}`, 'some', Number(shed?.count ?? 0) > 0),
    limit('overload: p99 of a shed request', percentileMs(shed, 99), SHED_P99_MS, 'ms'),
    ofTheMachine(takenShare),
    none('overload: neither answered with 200 nor shed', total(above) - Number(shed?.count ?? 0) - count(above, '200')),
    none('overload: refused at 80 % of the peak', total(below) - count(below, '200')),
    none('overload: health or metrics refused', refusedHealth),
    none('overload: refused after four seconds of SIGSTOP', total(stopped) - count(stopped, '200')),
  ];
}

const count = ({ byStatus }: AttackResult, status: string) => Number(byStatus.get(status)?.count ?? 0);
const total = ({ byStatus }: AttackResult) => [...byStatus.values()].reduce((sum, each) => sum + Number(each.count), 0);
const goodput = (result: AttackResult, seconds: number) => count(result, '200') / seconds;

/** No promise of the service: a machine that is taken away for a hundredth of the time has a p99 of its own. */
function ofTheMachine(share: number | undefined): Finding {
  const seen = share === undefined ? 'not counted here' : `${(share * 100).toFixed(2)} %`;
  return finding('overload: of the machine, given to others meanwhile', seen, 'to be read with the p99', true);
}

function none(what: string, seen: number): Finding {
  return finding(what, String(seen), '0', seen === 0);
}

/** Makes reading a user take `ms` longer, as behind a slow disk or a lock: the table becomes a view that waits. */
async function slowDown(databaseUrl: string, ms: number): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    await client.query(`alter table users rename to users_stored;
      create view users as select * from users_stored where pg_sleep(${ms / 1000}) is not null`);
  } finally {
    await client.end();
  }
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
