import type { LineQueue } from './line-queue.ts';

/** What one destination has taken and lost since the process started. */
export interface DestinationStats {
  /** Lines taken. */
  readonly accepted: number;
  /** Lines lost: the queue was full, the reader gone, or the disk still full at the end. */
  readonly dropped: number;
  readonly queuedBytes: number;
}

export interface LoggingStats {
  /** The files cannot be written; lines go to the console. */
  readonly degraded: boolean;
  readonly app: DestinationStats;
  readonly error: DestinationStats;
  readonly console: DestinationStats;
  /** Lines lost because logging was not started yet. */
  readonly droppedBeforeStart: number;
}

export const NO_STATS: DestinationStats = { accepted: 0, dropped: 0, queuedBytes: 0 };

export function destinationStats(queue: LineQueue): DestinationStats {
  return { accepted: queue.accepted, dropped: queue.dropped, queuedBytes: queue.bytes };
}
