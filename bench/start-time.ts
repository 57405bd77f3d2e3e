import { type Spread, spreadOf } from './report/statistics.ts';
import type { Workbench } from './workbench.ts';

/** Milliseconds. */
export type StartResult = Spread;

const STARTS = 7;

/** From the start of the process to its first answer of `GET /`, the stores running and the schema there. */
export async function measureStart(bench: Workbench): Promise<StartResult> {
  // The first makes the schema and warms the page cache.
  await bench.stop(await bench.start('okapi'));
  const times: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const server = await bench.start('okapi', { readyPath: '/', onAllCores: true });
    times.push(server.running.readyAfterMs);
    bench.say(`start ${start + 1}/${STARTS}  ${server.running.readyAfterMs.toFixed(0)} ms`);
    await bench.stop(server);
  }
  return spreadOf(times);
}
