import { joined, type LoadResult } from './load/result.ts';
import type { MeasuredServer } from './measured-server.ts';
import { usageOf } from './processes/usage.ts';
import type { Subject } from './subjects.ts';
import type { Workbench } from './workbench.ts';

export type Measurement = LoadResult & {
  /** Microseconds of CPU a request, user and system; absent where /proc is. */
  cpuMicroseconds?: number;
  residentBytes?: number;
};

/** A subject with its running server and the headers that its requests carry. */
export type Candidate = { subject: Subject; server: MeasuredServer; headers: Readonly<Record<string, string>> };

/** A browser's, so that whoever parses it has something to parse. */
export const USER_AGENT =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';

// More runs than this in one warm-up mean that nothing is answered.
const WARM_UP_RUNS = 200;

/**
 * Puts load on a candidate for some seconds, one second after the other: a machine that is shared stands still for tens of
 * milliseconds now and then, and one such moment is all that there is to see in a p99 of three seconds.
 */
export async function measure(bench: Workbench, candidate: Candidate, seconds: number): Promise<Measurement> {
  const { subject, server, headers } = candidate;
  const { connections } = bench.options;
  const { pid, url } = server.running;
  const before = usageOf(pid);
  const runs: LoadResult[] = [];
  for (let second = 0; second < seconds; second++) {
    const run = await bench.tool.run({ url: url + subject.path, headers, connections, seconds: 1 }, bench.signal);
    server.addLoad(run, connections);
    runs.push(run);
  }
  const after = usageOf(pid);
  const result = joined(runs);
  if (before === undefined || after === undefined || result.requests === 0) return result;
  return {
    ...result,
    cpuMicroseconds: (after.cpuMicroseconds - before.cpuMicroseconds) / result.requests,
    residentBytes: after.residentBytes,
  };
}

/** Sends at least `requests`, in runs of at most `seconds`. Throws when they are not answered. */
export async function send(bench: Workbench, candidate: Candidate, requests: number, seconds: number): Promise<void> {
  let left = requests;
  let perSecond = Number.POSITIVE_INFINITY;
  for (let run = 0; left > 0 && run < WARM_UP_RUNS; run++) {
    const result = await measure(bench, candidate, Math.min(seconds, Math.max(1, Math.ceil(left / perSecond))));
    if (result.requests === 0) break;
    ({ perSecond } = result);
    left -= result.requests;
  }
  if (left > 0) throw new Error(`${candidate.subject.title} does not answer: ${left} of ${requests} requests are left`);
}
