import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { StartupError } from '../../core/errors/startup-error.ts';

const run = promisify(execFile);
const LOOK_EVERY_MS = 25;
const TELL_AFTER_MS = 1_000;

/**
 * Waits for the server of an instance that was killed to be gone from its folder: it is told to end when its parent
 * does, and needs a moment. The caller holds the data folder's lock, so nobody starts another meanwhile.
 * @throws StartupError when it is still there after `waitMs`, in milliseconds.
 */
export async function previousServerGone(
  folder: string,
  options: { waitMs: number; onStep(message: string): void; signal?: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + options.waitMs;
  const tell = setTimeout(
    () => options.onStep(`Waiting for the previous PostgreSQL in ${folder} to end`),
    TELL_AFTER_MS,
  );
  try {
    await waitUntilGone(folder, deadline, options.signal);
  } finally {
    clearTimeout(tell);
  }
}

async function waitUntilGone(folder: string, deadline: number, signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const left = await readPidFile(folder);
    if (!left) return;
    if (!(await isServerOf(left))) {
      // PostgreSQL does not start while the process id in this file is in use, whoever uses it by now.
      if (isInUse(left.pid)) await rm(join(folder, 'postmaster.pid'), { force: true });
      return;
    }
    if (performance.now() >= deadline) {
      throw new StartupError(
        `A PostgreSQL (pid ${left.pid}) is still at work in ${folder}: end it, or set DATA_DIR to another folder`,
      );
    }
    await delay(LOOK_EVERY_MS);
  }
}

interface PidFile {
  pid: number;
  /** As it was spelled when the server started, links and all. */
  folder: string;
}

async function readPidFile(folder: string): Promise<PidFile | undefined> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
  const [pid = '', spelled = ''] = text.split('\n');
  return /^[1-9]\d*$/.test(pid) && spelled !== '' ? { pid: Number(pid), folder: spelled } : undefined;
}

/** Process ids are used again, so a living one proves nothing; its command line does. */
async function isServerOf({ pid, folder }: PidFile): Promise<boolean> {
  const commandLine = await readCommandLine(pid);
  return commandLine.includes('postgres') && commandLine.includes(folder);
}

/** Empty for a process that is not there, or is dead and has not been waited for. */
async function readCommandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const ask = run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
  return ask.then(({ stdout }) => stdout).catch(() => '');
}

function isInUse(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
