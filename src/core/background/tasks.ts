import { getLogger } from '../logging/index.ts';
import { trackBackgroundJob } from './track-background-job.ts';

/** A task that runs again and again while the application does. */
export type PeriodicTask = {
  /** Its `job_name`; `[a-z][a-z0-9_]{0,63}`. */
  name: string;
  /** From the end of one run to the begin of the next: there are never two at once. */
  intervalMs: number;
  /** Should stop early when the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
};

export type BackgroundTasks = {
  /** Starts a task; its first run begins at once. */
  start(task: PeriodicTask): void;
  /** Cancels all tasks and resolves once the runs under way have ended. */
  stop(): Promise<void>;
};

const MAX_BACK_OFF_MS = 60_000;

/** The background tasks of a process. A run that fails is logged, counted, and tried again later and later. */
export function globalBackgroundTasks(): BackgroundTasks {
  const logger = getLogger('app.background.tasks');
  const cancelled = new AbortController();
  const loops: Promise<void>[] = [];

  async function loop({ name, intervalMs, run }: PeriodicTask): Promise<void> {
    const tracked = trackBackgroundJob(name)(run);
    let failures = 0;
    while (!cancelled.signal.aborted) {
      try {
        await tracked(cancelled.signal);
        failures = 0;
      } catch (error) {
        if (cancelled.signal.aborted) return;
        failures++;
        logger.exception(`The background task ${name} failed`, error, { failures });
      }
      await pause(Math.min(intervalMs * 2 ** Math.min(failures, 16), Math.max(intervalMs, MAX_BACK_OFF_MS)));
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = cancelled;
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }

  return {
    start: (task) => {
      loops.push(loop(task));
    },
    async stop() {
      cancelled.abort();
      await Promise.all(loops);
    },
  };
}
