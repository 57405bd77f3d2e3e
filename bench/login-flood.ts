import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LineLateness } from './counting/line-lateness.ts';
import { request } from './load/request.ts';
import { type Candidate, send } from './measure.ts';
import { leaveTheCoreToOthers, preferringThisThread } from './processes/priority.ts';
import { type Finding, finding, limit, percentile } from './report/findings.ts';
import type { Workbench } from './workbench.ts';

const SECONDS = 20;
const WARM_UP_SECONDS = 4;
const CLIENTS = 64;
const ASK_EVERY_MS = 10;
const TIMES_AT_MOST = 3;
const LINE_MS_AT_MOST = 250;

/**
 * What everybody else feels of a flood of logins: `GET /api/users/me` at a fixed rate, quiet and beside 64 clients that
 * try one wrong password after the other, and how old a log line is when it can be read.
 */
export async function measureLoginFlood(bench: Workbench, candidate: Candidate, logDir: string): Promise<Finding[]> {
  const { server, subject, headers } = candidate;
  const { url } = server.running;
  bench.say('login      warm-up');
  await send(bench, candidate, bench.options.warmUp, WARM_UP_SECONDS);
  const ask = () => preferringThisThread(() => askForSeconds(url + subject.path, headers, bench.signal));
  bench.say('login      quiet');
  const quiet = await ask();
  bench.say(`login      beside ${CLIENTS} clients that log in`);
  const flood = fork(join(import.meta.dirname, 'load/login-flood.ts'), [url, String(CLIENTS)], { detached: true });
  // The stores and who asks share its core: what they would wait for it is not what the server makes of a flood.
  if (flood.pid !== undefined) leaveTheCoreToOthers(flood.pid);
  const lines = new LineLateness(join(logDir, 'app.json'));
  try {
    await delay(1000, undefined, { signal: bench.signal });
    const flooded = await ask();
    flood.send('stop');
    const [byStatus] = (await once(flood, 'message')) as [Record<string, number>];
    const lateMs = lines.close();
    const [before, during] = [percentile(quiet, 0.99), percentile(flooded, 0.99)];
    return [
      finding('flood: logins by status', JSON.stringify(byStatus), '401 and 503 alone', isAsExpected(byStatus)),
      finding('flood: p99 of GET /api/users/me, quiet', `${before.toFixed(2)} ms`, 'see below', true),
      limit('flood: the same beside the flood', during, before * TIMES_AT_MOST, 'ms'),
      limit(`flood: oldest of ${lateMs.count} log lines when it could be read`, lateMs.max, LINE_MS_AT_MOST, 'ms'),
    ];
  } finally {
    flood.kill('SIGKILL');
    lines.close();
  }
}

function isAsExpected(byStatus: Record<string, number>): boolean {
  return Number(byStatus['401']) > 0 && Object.keys(byStatus).every((status) => status === '401' || status === '503');
}

/**
 * Milliseconds to each answer of requests that are sent from beat to beat, whether or not earlier ones were answered: on
 * connections that are kept, as those of a proxy or an app are. The flood opens one for every attempt.
 */
async function askForSeconds(url: string, headers: Candidate['headers'], signal: AbortSignal): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const times: Promise<number>[] = [];
  const until = performance.now() + SECONDS * 1000;
  try {
    for (let at = performance.now(); at < until; at += ASK_EVERY_MS) {
      await delay(Math.max(0, at - performance.now()), undefined, { signal });
      times.push(timeAnswer(url, headers, agent));
    }
    return await Promise.all(times);
  } finally {
    agent.destroy();
  }
}

async function timeAnswer(url: string, headers: Candidate['headers'], agent: Agent): Promise<number> {
  const startedAt = performance.now();
  const { status } = await request(url, { headers, agent });
  if (status !== 200) throw new Error(`GET ${url} was answered ${status} beside the flood`);
  return performance.now() - startedAt;
}
