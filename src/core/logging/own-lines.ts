import { callSiteOf } from './call-site.ts';
import type { LevelName } from './levels.ts';
import type { LineQueue } from './line-queue.ts';
import type { LogRecord } from './record.ts';
import { redactText } from './secret-shapes.ts';

const TELL_AGAIN_MS = 60_000;

/** A line that logging itself has to say, outside of any request. */
export function ownRecord(level: LevelName, message: string, extra: Record<string, unknown>): LogRecord {
  return {
    timeMs: Date.now(),
    level,
    message,
    logger: 'app.core.logging',
    site: callSiteOf(ownRecord),
    requestId: undefined,
    userId: undefined,
    jobName: undefined,
    traceId: undefined,
    spanId: undefined,
    traceFlags: 0,
    extra,
    exception: undefined,
  };
}

/** The one line about files that cannot be written, or can be again. */
export function logFilesRecord(problem: Error | undefined, directory: string): LogRecord {
  if (problem === undefined) return ownRecord('WARNING', 'Log files are written again', { directory });
  const reason = redactText(problem.message, 500);
  return ownRecord('WARNING', 'Log files cannot be written, lines go to the console', { directory, reason });
}

/** The line about lines that are missing. */
export function droppedRecord(destination: string, dropped: number): LogRecord {
  return ownRecord('WARNING', `${dropped} log lines were dropped: ${destination}`, { destination, dropped });
}

/**
 * Says how many lines a destination lost: when it has recovered, and once a minute while it has not. What is lost
 * without a word in the log would look like silence.
 */
export class DropReporter {
  readonly #queues: readonly (readonly [string, LineQueue])[];
  readonly #toldAt = new Map<LineQueue, number>();

  constructor(queues: readonly (readonly [string, LineQueue | undefined])[]) {
    this.#queues = queues.filter((entry): entry is [string, LineQueue] => entry[1] !== undefined);
  }

  get hasUntold(): boolean {
    return this.#queues.some(([, queue]) => queue.untold > 0);
  }

  /** The lines to write now; with `all` also for destinations that are still behind. */
  due(all: boolean): LogRecord[] {
    const records: LogRecord[] = [];
    const now = Date.now();
    for (const [destination, queue] of this.#queues) {
      if (queue.untold === 0) continue;
      const isDue = all || queue.isEmpty || now - (this.#toldAt.get(queue) ?? now) >= TELL_AGAIN_MS;
      if (!this.#toldAt.has(queue)) this.#toldAt.set(queue, now);
      if (!isDue) continue;
      this.#toldAt.delete(queue);
      const dropped = queue.untold;
      queue.untold = 0;
      records.push(droppedRecord(destination, dropped));
    }
    return records;
  }
}
