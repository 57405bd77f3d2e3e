import { join } from 'node:path';
import type { LoadRequest, LoadResult } from './result.ts';

export function wrkCommand({ url, headers, connections, seconds }: LoadRequest): string[] {
  const script = join(import.meta.dirname, 'wrk.lua');
  const fields = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
  const options = ['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`];
  return ['wrk', ...options, '--latency', '--script', script, ...fields, url];
}

/** Reads what wrk.lua printed. Throws when it did not come to that. */
export function parseWrk(output: string): LoadResult {
  const line = /^RESULT (\{.*\})$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk did not finish: ${output.slice(0, 500)}`);
  const result = JSON.parse(line) as Record<string, number>;
  const field = (name: string) => {
    const value = result[name];
    if (value === undefined) throw new Error(`wrk.lua did not say ${name}`);
    return value;
  };
  return {
    requests: field('requests'),
    perSecond: field('requests') / (field('duration_us') / 1e6),
    p50Ms: field('p50_us') / 1000,
    p99Ms: field('p99_us') / 1000,
    notOk: field('status'),
    socketErrors: field('connect') + field('read') + field('write'),
    timeouts: field('timeout'),
  };
}
