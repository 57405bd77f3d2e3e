import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, openSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** The variable with folders to look into before `PATH`. */
export const PEERS_VARIABLE = 'OKAPI_PEERS';
const READY_WITHIN_MS = 30_000;
const ENDS_WITHIN_MS = 5_000;
const ASK_EVERY_MS = 100;

export type Program = { readonly url: string; stop(): Promise<void> };
export type Start = {
  readonly file: string;
  readonly args: readonly string[];
  /** Where its output goes, named after it. */
  readonly folder: string;
  readonly name: string;
  readonly url: string;
  /** Answers with success once it is ready, below `url`. */
  readonly readyPath: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** Where a program is: in a folder of `OKAPI_PEERS`, or on `PATH`. */
export function findProgram(name: string): string | undefined {
  const folders = [process.env[PEERS_VARIABLE], process.env['PATH']].flatMap((list) => (list ?? '').split(delimiter));
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a program that ends by itself, and resolves to what it printed. Throws with that when it fails. */
export function runProgram(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  try {
    const { PATH = '', HOME = '' } = process.env;
    return execFileSync(file, args, { encoding: 'utf8', stdio: 'pipe', env: { PATH, HOME, ...env } });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${stderr}${stdout}`.trim() || String(error));
  }
}

/** Starts a server and waits until it is ready. Rejects with the end of its output when it is not. */
export async function startProgram({ file, args, folder, name, url, readyPath, env = {} }: Start): Promise<Program> {
  const log = join(folder, `${name}.log`);
  const output = openSync(log, 'a');
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(file, args, { cwd: folder, env: { PATH, HOME, ...env }, stdio: ['ignore', output, output] });
  const ended = once(child, 'exit').catch(() => undefined);
  const stop = () => end(child, ended);
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline && child.exitCode === null) {
    const answer = await fetch(`${url}${readyPath}`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return { url, stop };
    await delay(ASK_EVERY_MS);
  }
  await stop();
  throw new Error(`${name} did not start: ${readFileSync(log, 'utf8').slice(-1000)}`);
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const patience = new AbortController();
  const late = delay(ENDS_WITHIN_MS, true, { signal: patience.signal }).catch(() => false);
  if (await Promise.race([ended.then(() => false), late])) child.kill('SIGKILL');
  patience.abort();
  await ended;
}
