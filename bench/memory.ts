import { setTimeout as delay } from 'node:timers/promises';
import { Missing } from './counting/missing.ts';
import { send } from './measure.ts';
import { usageOf } from './processes/usage.ts';
import { median } from './report/statistics.ts';
import { startOkapi } from './start-candidates.ts';
import type { Workbench } from './workbench.ts';

/** Resident memory of Okapi after few and after many requests. */
export type MemoryResult = { early: Sample; late: Sample; growth: number; failures: readonly string[] };
type Sample = { requests: number; residentBytes: number };

const EARLY = 100_000;
const LATE = 1_000_000;
const RUN_SECONDS = 10;
const SAMPLES = 5;
const SAMPLE_EVERY_MS = 1_000;

/** Sends a million requests to one Okapi with everything on. */
export async function measureMemory(bench: Workbench): Promise<MemoryResult> {
  const candidate = await startOkapi(bench, 'okapi');
  const { server } = candidate;
  const missing = new Missing(bench.signal);
  const after = async (requests: number): Promise<Sample> => {
    bench.say(`memory     up to ${requests} requests`);
    await send(bench, candidate, requests - server.sent, RUN_SECONDS);
    await missing.look([server], `${requests} requests`);
    return { requests: server.sent, residentBytes: await residentAtRest(server.running.pid, bench.signal) };
  };
  const early = await after(EARLY);
  const late = await after(LATE);
  await bench.stop(server);
  return {
    early,
    late,
    growth: late.residentBytes / early.residentBytes,
    failures: [...missing.lines, ...server.problems.map((problem) => `${server.id}: ${problem}`)],
  };
}

/** The median over some seconds without load. Throws where there is no /proc. */
async function residentAtRest(pid: number, signal: AbortSignal): Promise<number> {
  const samples: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    await delay(SAMPLE_EVERY_MS, undefined, { signal });
    const usage = usageOf(pid);
    if (usage !== undefined) samples.push(usage.residentBytes);
  }
  return median(samples);
}
