import { readdirSync, readFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { getLogger } from './core/logging/index.ts';

/**
 * How much nicer than the thread that answers. Of a core that both want, ten leaves a helper a tenth and fifteen a thirtieth
 * (sched(7)): whoever collects garbage is waited for, whoever hashes a password is not.
 */
const HELPER = 10;
const LIBUV_WORKER = 15;
const THREADS = '/proc/self/task';

/**
 * Lets the thread that answers go before those that help it: V8's, which collect garbage, and libuv's, which hash
 * passwords and write files. Where there are cores enough they run as before; of one core they would take half. To be
 * called once they are there. Only Linux has priorities by the thread (setpriority(2), "C library/kernel differences").
 */
export function preferMainThread(): void {
  if (process.platform !== 'linux') return;
  try {
    const own = getPriority();
    for (const thread of readdirSync(THREADS)) {
      if (Number(thread) === process.pid) continue;
      const isWorker = readFileSync(`${THREADS}/${thread}/comm`, 'utf8').startsWith('libuv-worker');
      const nicer = own + (isWorker ? LIBUV_WORKER : HELPER);
      setPriority(Number(thread), Math.min(nicer, constants.priority.PRIORITY_LOW));
    }
  } catch (error) {
    // A sandbox may not let it, and it is served all the same.
    getLogger('app.process').warning('The threads that help could not be given a lower priority', { error });
  }
}
