import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from '../load/request.ts';
import type { Reaper } from './reaper.ts';

export type ServerSpec = {
  id: string;
  command: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  port: number;
  /** Asked until it is answered with 200. */
  readyPath: string;
  /** For its output. */
  folder: string;
};

export type RunningServer = {
  readonly url: string;
  readonly pid: number;
  /** From the start to the first answer of `readyPath`. */
  readonly readyAfterMs: number;
  /** What it has written to stdout and stderr. */
  output(): string;
  hasEnded(): boolean;
  stop(): Promise<void>;
};

const START_TIMEOUT_MS = 30_000;
const ASK_EVERY_MS = 5;
const STOP_WITHIN_MS = 10_000;

/** Starts a server and waits for its first answer. Rejects, with what it wrote, when it ends or stays silent. */
export async function startServer(spec: ServerSpec, reaper: Reaper, signal: AbortSignal): Promise<RunningServer> {
  mkdirSync(spec.folder, { recursive: true });
  const outputPath = join(spec.folder, 'output.txt');
  const output = openSync(outputPath, 'a');
  const env = { PATH: process.env['PATH'] ?? '', ...spec.env };
  const [program = '', ...args] = spec.command;
  const startedAt = performance.now();
  // A group of its own: a terminal's Ctrl-C reaches the benchmark, which ends its servers in order.
  const child = spawn(program, args, { cwd: spec.cwd, env, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  const ended = once(child, 'exit').catch(() => undefined);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  reaper.watch(pid);
  const server = {
    url: `http://127.0.0.1:${spec.port}`,
    pid,
    readyAfterMs: 0,
    output: () => readFileSync(outputPath, 'utf8'),
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    async stop() {
      await end(child, ended);
      reaper.forget(pid);
    },
  };
  try {
    await firstAnswer(server, spec, signal);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { ...server, readyAfterMs: performance.now() - startedAt };
}

async function firstAnswer(
  server: Pick<RunningServer, 'url' | 'hasEnded' | 'output'>,
  { id, readyPath }: ServerSpec,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < until && !server.hasEnded()) {
    const answer = await request(server.url + readyPath).catch(() => undefined);
    if (answer?.status === 200) return;
    await delay(ASK_EVERY_MS, undefined, { signal });
  }
  const how = server.hasEnded() ? 'ended at once' : 'did not answer';
  throw new Error(`${id} ${how}:\n${server.output().slice(-2000)}`);
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await ended;
  clearTimeout(kill);
}
