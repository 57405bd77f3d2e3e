import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { preferred } from '../processes/priority.ts';

export type Attack = {
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Requests a second, sent whether or not earlier ones were answered; 0 sends as fast as `workers` are answered. */
  rate: number;
  seconds: number;
  /** Requests that may wait for their answers at a time. */
  workers: number;
};

/** Latencies in microseconds by status, and by `shed` for what was refused for overload; 0 is no answer at all. */
export type AttackResult = { perSecond: number; byStatus: ReadonlyMap<string, RecordableHistogram> };

const SHED_BODY_BYTES = 400;

/** Whether vegeta, which sends at a fixed rate, is installed. Throws with what to do when it is not. */
export function assertVegeta(): void {
  if (spawnSync('vegeta', ['-version']).error === undefined) return;
  throw new Error('vegeta is not on the PATH: "go install github.com/tsenart/vegeta/v12@v12.13.0" puts it there');
}

/** Runs vegeta and reads what it measured. Rejects when it fails or `signal` aborts. */
export async function attack(request: Attack, folder: string, signal: AbortSignal): Promise<AttackResult> {
  const targets = join(folder, 'targets.txt');
  const fields = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
  writeFileSync(targets, `GET ${request.url}\n${fields.join('\n')}\n`);
  const limits = ['-workers', '64', '-max-workers', String(request.workers), '-connections', String(request.workers)];
  const options = [
    '-rate',
    String(request.rate),
    '-duration',
    `${request.seconds}s`,
    '-max-body',
    String(SHED_BODY_BYTES),
  ];
  // What it measured is read afterwards: reading along would take its core from it.
  const measured = join(folder, 'attack.bin');
  const command = [
    'vegeta',
    'attack',
    '-targets',
    targets,
    ...options,
    ...limits,
    '-timeout',
    '30s',
    '-output',
    measured,
  ];
  await run(preferred(command), signal);
  const encoder = spawn('vegeta', ['encode', '-to', 'csv', measured], { signal, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(encoder, 'exit');
  const byStatus = new Map<string, RecordableHistogram>();
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  let count = 0;
  for await (const line of createInterface({ input: encoder.stdout })) {
    // Unix nanoseconds of the start, status, nanoseconds of the answer, bytes out and in, error, body in base64, and more.
    const [at = '', code = '', latency = '', , , , body = ''] = line.split(',', 7);
    const isShed = code === '503' && Buffer.from(body, 'base64').includes('"overload.shed"');
    const status = isShed ? 'shed' : code;
    const startedMs = Number(at) / 1e6;
    const tookMicroseconds = Math.max(1, Math.round(Number(latency) / 1000));
    const histogram = byStatus.get(status) ?? createHistogram();
    byStatus.set(status, histogram);
    histogram.record(tookMicroseconds);
    first = Math.min(first, startedMs);
    last = Math.max(last, startedMs);
    count++;
  }
  assertEnded(await ended);
  return { perSecond: count / Math.max(1e-3, (last - first) / 1000), byStatus };
}

async function run([program = '', ...args]: readonly string[], signal: AbortSignal): Promise<void> {
  // Collecting its own garbage once a second holds it up for 50 ms and more, which it would count as the server's.
  const env = { ...process.env, GOGC: 'off', GOMEMLIMIT: '2GiB' };
  assertEnded(await once(spawn(program, args, { signal, env, stdio: ['ignore', 'ignore', 'inherit'] }), 'exit'));
}

function assertEnded([code]: unknown[]): void {
  if (code !== 0) throw new Error(`vegeta ended with exit code ${code}`);
}

/** A percentile in milliseconds; 0 where there is nothing. */
export function percentileMs(histogram: RecordableHistogram | undefined, percentile: number): number {
  return histogram === undefined || histogram.count === 0 ? 0 : histogram.percentile(percentile) / 1000;
}
