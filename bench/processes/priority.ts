import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

const REAL_TIME = ['chrt', '--rr', '1'] as const;
let isAllowed: boolean | undefined;

/** Whether this machine lets us put a program before all else on its core: Linux as root, with `chrt`. */
export function canPrefer(): boolean {
  const [program, ...options] = REAL_TIME;
  isAllowed ??= spawnSync(program, [...options, 'true']).status === 0;
  return isAllowed;
}

/**
 * The command that runs `command` before all else on its core, where that is allowed: the load shares its core with what
 * counts spans and lines, and whatever it waits for it would be taken for the server's slowness. It is a task of real time
 * (sched(7), SCHED_RR). A nice one would still wait until whoever runs has had its slice, up to four milliseconds.
 */
export function preferred(command: readonly string[]): readonly string[] {
  return canPrefer() ? [...REAL_TIME, ...command] : command;
}

/**
 * Lets every other process run before this one, which must be the first of its session: where the kernel groups processes
 * by session (sched(7), "The autogroup feature"), being nice counts within one's own only, so the group is made nice too.
 */
export function leaveTheCoreToOthers(pid: number): void {
  setPriority(pid, constants.priority.PRIORITY_LOW);
  const group = `/proc/${pid}/autogroup`;
  if (existsSync(group)) writeFileSync(group, String(constants.priority.PRIORITY_LOW));
}

/**
 * Lets this thread run before all else on its core while `work` does, where that is allowed: what it would wait for the
 * load beside it would be taken for the server's slowness. Threads and processes that are there already stay as they are.
 */
export async function preferringThisThread<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  setPriority(process.pid, -10);
  try {
    return await work();
  } finally {
    setPriority(process.pid, 0);
  }
}
