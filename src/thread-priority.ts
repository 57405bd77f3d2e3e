import { readdirSync, readFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { getLogger } from './core/logging/index.ts';

/** How much nicer than the thread that answers: of a core that both want, ten leaves a tenth (sched(7)). */
const NICER = 10;
const THREADS = '/proc/self/task';
const WORKERS = ['libuv-worker', 'node-V8Worker'];

/**
 * Lets the thread that answers go before those that hash passwords and write files, libuv's, and those that mark garbage,
 * V8's. Where there are cores enough they run as before; of one core, whoever hashes would take half. To be called once
 * they are there. Only Linux has priorities by the thread (setpriority(2), "C library/kernel differences").
 */
export function preferMainThread(): void {
  if (process.platform !== 'linux') return;
  try {
    const priority = Math.min(getPriority() + NICER, constants.priority.PRIORITY_LOW);
    for (const thread of readdirSync(THREADS)) {
      const name = readFileSync(`${THREADS}/${thread}/comm`, 'utf8').trim();
      if (WORKERS.includes(name)) setPriority(Number(thread), priority);
    }
  } catch (error) {
    // A sandbox may not let it, and it is served all the same.
    getLogger('app.process').warning('Threads beside the one that answers could not be given a lower priority', {
      error,
    });
  }
}
