import { median } from '../report/statistics.ts';

/** What one run of the load generator found. */
export type LoadResult = {
  /** Answered, whatever the status. */
  requests: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers that were not 2xx (wrk counts 3xx as good; those show in Okapi's own counter). */
  notOk: number;
  /** Connections that failed or broke. */
  socketErrors: number;
  /** Requests that took longer than the generator's patience. */
  timeouts: number;
};

export type LoadRequest = {
  url: string;
  headers: Readonly<Record<string, string>>;
  connections: number;
  seconds: number;
};

/** Several runs of the same length as one: what was counted is added up, and a percentile is the median of theirs. */
export function joined(runs: readonly LoadResult[]): LoadResult {
  const sum = (of: (run: LoadResult) => number) => runs.reduce((total, run) => total + of(run), 0);
  return {
    requests: sum(({ requests }) => requests),
    perSecond: sum(({ perSecond }) => perSecond) / runs.length,
    p50Ms: median(runs.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(runs.map(({ p99Ms }) => p99Ms)),
    notOk: sum(({ notOk }) => notOk),
    socketErrors: sum(({ socketErrors }) => socketErrors),
    timeouts: sum(({ timeouts }) => timeouts),
  };
}
