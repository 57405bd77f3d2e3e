import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attack, percentileMs } from './load/vegeta.ts';
import { send } from './measure.ts';
import { usageOf } from './processes/usage.ts';
import { type Finding, finding, limit, percentile } from './report/findings.ts';
import { median } from './report/statistics.ts';
import { startOkapi } from './start-candidates.ts';

import type { Workbench } from './workbench.ts';

const SHARE = 0.8;
const WORKERS = 1000;
const CAPACITY_SECONDS = 10;
const SLICE_SECONDS = 30;
const GC_P99_MS = 50;
const LOOP_P99_MS = 20;
const GROWTH = 1.1;

/** `GET /api/users/me` at 80 % of what the server can do, for minutes: nothing may grow, nothing may stall. */
export async function soak(bench: Workbench, folder: string, minutes: number): Promise<Finding[]> {
  const probeFile = join(folder, 'probe.jsonl');
  const args = ['--import', join(import.meta.dirname, 'probe.mjs')];
  const candidate = await startOkapi(bench, 'okapi-users', args);
  const { server, subject, headers } = candidate;
  await send(bench, candidate, bench.options.warmUp, 4);
  const request = { url: server.running.url + subject.path, headers };
  const fast = { ...request, rate: 0, workers: 64, seconds: CAPACITY_SECONDS };
  const capacity = (await attack(fast, folder, bench.signal)).perSecond;
  const rate = Math.round(capacity * SHARE);
  bench.say(`soak       ${capacity.toFixed(0)} requests/s at most, ${rate} for ${minutes} minutes`);

  const startedAt = Date.now();
  const resident: number[] = [];
  const slices = Math.max(2, Math.round((minutes * 60) / SLICE_SECONDS));
  let answered = 0;
  let failed = 0;
  const p99s: number[] = [];
  for (let slice = 1; slice <= slices; slice++) {
    const steady = { ...request, rate, workers: WORKERS, seconds: SLICE_SECONDS };
    const { byStatus } = await attack(steady, folder, bench.signal);
    for (const [status, { count }] of byStatus) {
      if (status === '200') answered += Number(count);
      else failed += Number(count);
    }
    const p99 = percentileMs(byStatus.get('200'), 99);
    p99s.push(p99);
    resident.push(usageOf(server.running.pid)?.residentBytes ?? 0);
    bench.say(
      `soak       ${slice}/${slices}  p99 ${p99.toFixed(1)} ms  ${Math.round((resident.at(-1) ?? 0) / 1024 ** 2)} MiB`,
    );
  }
  const { pauses, late } = probed(probeFile, startedAt);
  await bench.stop(server);
  const quarter = Math.max(1, Math.floor(resident.length / 4));
  const growth = median(resident.slice(-quarter)) / median(resident.slice(0, quarter));
  return [
    finding('soak: answers that are not 200', `${failed} of ${answered + failed}`, '0', failed === 0),
    limit('soak: p99 of a pause for garbage collection', percentile(pauses, 0.99), GC_P99_MS, 'ms'),
    limit('soak: p99 of the delay of the event loop', percentile(late, 0.99), LOOP_P99_MS, 'ms'),
    limit('soak: memory of the last quarter over the first', growth, GROWTH, ''),
    finding('soak: p99 of an answer, median of the slices', `${median(p99s).toFixed(1)} ms`, 'shown', true),
  ];
}

function probed(path: string, since: number): { pauses: number[]; late: number[] } {
  const seconds = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { at: number; late: number[]; pauses: number[] })
    .filter(({ at }) => at >= since);
  return { pauses: seconds.flatMap(({ pauses }) => pauses), late: seconds.flatMap(({ late }) => late) };
}
