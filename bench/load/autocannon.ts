import { join } from 'node:path';
import type { LoadRequest, LoadResult } from './result.ts';

const PROGRAM = join(import.meta.dirname, '..', 'peers', 'node_modules', 'autocannon', 'autocannon.js');

export function autocannonCommand({ url, headers, connections, seconds }: LoadRequest): string[] {
  const fields = Object.entries(headers).flatMap(([name, value]) => ['--headers', `${name}=${value}`]);
  const options = ['--connections', String(connections), '--duration', String(seconds), '--json', '--no-progress'];
  return [process.execPath, PROGRAM, ...options, ...fields, url];
}

type Report = {
  requests: { total: number };
  duration: number;
  latency: { p50: number; p99: number };
  non2xx: number;
  errors: number;
  timeouts: number;
};

/** Reads autocannon's JSON. Throws when there is none. */
export function parseAutocannon(output: string): LoadResult {
  const line = output.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`autocannon did not finish: ${output.slice(0, 500)}`);
  const { requests, duration, latency, non2xx, errors, timeouts } = JSON.parse(line) as Report;
  return {
    requests: requests.total,
    perSecond: requests.total / duration,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
    notOk: non2xx,
    socketErrors: errors - timeouts,
    timeouts,
  };
}
