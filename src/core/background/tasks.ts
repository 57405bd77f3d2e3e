import { setTimeout as delay } from 'node:timers/promises';
import { getLogger } from '../logging/index.ts';
import { trackBackgroundJob } from './track-background-job.ts';
import type { WakeUp } from './wake-up.ts';

/** A task that runs again and again while the application does. */
export type PeriodicTask = {
  /** Its `job_name`; `[a-z][a-z0-9_]{0,63}`, and no other task's. */
  name: string;
  /** From the begin of one run to that of the next, at least 1. A run that takes longer lets beats pass: there are never two at once. */
  intervalMs: number;
  /** Rung when there is something to do before the next beat. What waits after a failure is not woken. */
  wakeUp?: WakeUp;
  /**
   * One run. Should stop early when the signal aborts. May resolve to how much there was to do: 0 leaves no trace. Who does
   * not say so leaves one by changing something.
   */
  run(signal: AbortSignal): Promise<unknown>;
};

export type BackgroundTasks = {
  /**
   * Starts a task; its first run begins at once, unless the tasks have been stopped. Throws for a name that is none, or
   * another task's, and for an interval that is none.
   */
  start(task: PeriodicTask): void;
  /** Cancels all tasks and resolves once the runs under way have ended. */
  stop(): Promise<void>;
};

/** What tells the time and lets it pass; milliseconds. */
export type TaskClock = {
  now(): number;
  /** Resolves after `ms`, or as soon as the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
};

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
/** What a timer can count to. */
const MAX_INTERVAL_MS = 2 ** 31 - 1;

const systemClock: TaskClock = {
  now: () => performance.now(),
  // It rejects for no other reason than the signal.
  wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
};

/**
 * Tasks of their own, for tests. A run that fails is logged, counted, and tried again after a second, then twice as late
 * each time, up to a minute or the task's own interval if that is longer.
 */
export function createBackgroundTasks({ clock = systemClock }: { clock?: TaskClock } = {}): BackgroundTasks {
  const logger = getLogger('app.background.tasks');
  const cancelled = new AbortController();
  const { signal } = cancelled;
  const names = new Set<string>();
  const loops: Promise<void>[] = [];

  /** Lets `ms` pass, less when it rings. */
  async function rest(ms: number, wakeUp: WakeUp): Promise<void> {
    // Of what has happened already a listener is not told.
    if (signal.aborted) return;
    const resting = new AbortController();
    const end = () => resting.abort();
    const stopListening = wakeUp.listen(end);
    signal.addEventListener('abort', end);
    await clock.wait(ms, resting.signal);
    signal.removeEventListener('abort', end);
    stopListening();
  }

  function prepare({ name, intervalMs, wakeUp, run }: PeriodicTask): () => Promise<void> {
    let failures = 0;
    const retryMs = () => Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), Math.max(intervalMs, LAST_RETRY_MS));
    // Logged within the tracked run, so that the line names the job.
    const once = trackBackgroundJob(name)(async () => {
      try {
        const done = await run(signal);
        failures = 0;
        return done;
      } catch (error) {
        // What gives up because it was cancelled has not failed.
        if (signal.aborted) return;
        failures++;
        logger.exception(`The background task ${name} failed`, error, { failures, retry_in_ms: retryMs() });
        throw error;
      }
    });
    return async () => {
      while (!signal.aborted) {
        const startedAt = clock.now();
        wakeUp?.reset();
        const failed = await once().then(
          () => false,
          () => true,
        );
        const untilNextBeat = intervalMs - ((clock.now() - startedAt) % intervalMs);
        if (failed) await clock.wait(retryMs(), signal);
        else if (wakeUp === undefined) await clock.wait(untilNextBeat, signal);
        else await rest(untilNextBeat, wakeUp);
      }
    };
  }

  return {
    start(task) {
      const { name, intervalMs } = task;
      if (!(intervalMs >= 1 && intervalMs <= MAX_INTERVAL_MS)) {
        throw new RangeError(`The interval of ${name} must be 1 to ${MAX_INTERVAL_MS} ms, not ${intervalMs}`);
      }
      if (names.has(name)) throw new Error(`There is a background task ${name} already`);
      const loop = prepare(task);
      names.add(name);
      loops.push(loop());
    },
    async stop() {
      cancelled.abort();
      await Promise.all(loops);
    },
  };
}

let ofThisProcess: BackgroundTasks | undefined;

/** The background tasks of this process: the same ones for whoever asks. Cancelled and awaited when it stops. */
export function globalBackgroundTasks(): BackgroundTasks {
  ofThisProcess ??= createBackgroundTasks();
  return ofThisProcess;
}
