import { LogLevels } from './log-levels.ts';
import { LOGGING_TUNING, type LoggingOptions, type LoggingTuning } from './options.ts';
import { droppedRecord } from './own-lines.ts';
import { Pipeline } from './pipeline.ts';
import type { LogRecord } from './record.ts';
import { type LoggingStats, NO_STATS } from './stats.ts';

const MOST_EARLY = 1_000;

let early: LogRecord[] = [];
let droppedEarly = 0;
let toldEarly = 0;
let pipeline: Pipeline | undefined;
let ended: Pipeline | undefined;
let stopping: Promise<void> | undefined;

/** The levels that were set at run time, for the loggers of this process. */
export const logLevels = new LogLevels(() => pipeline?.setOverrides(logLevels.overrides));

/** The running pipeline; `undefined` before `startLogging` and after `stopLogger`. */
export function runningPipeline(): Pipeline | undefined {
  return pipeline;
}

/** Whether a line of this rank and logger goes anywhere. Before the start nobody knows, so it is kept. */
export function wants(rank: number, logger: string): boolean {
  return pipeline === undefined || pipeline.wants(rank, logger);
}

/** Sends a record to where records go now: the pipeline, the memory for early lines, or after the end the console. */
export function emit(record: LogRecord): void {
  if (pipeline !== undefined) pipeline.write(record);
  else if (ended !== undefined) ended.writeToConsole(record);
  else if (early.length < MOST_EARLY) early.push(record);
  else droppedEarly++;
}

/**
 * Opens the destinations and writes what was logged before: the first 1,000 lines of it, and how many came after them.
 * Does not throw when the directory cannot be used: that is told on the console. Throws when logging runs already.
 */
export function startLogging(options: LoggingOptions, tuning: Partial<LoggingTuning> = {}): void {
  if (pipeline !== undefined) throw new Error('Logging is already started');
  pipeline = new Pipeline(options, { ...LOGGING_TUNING, ...tuning });
  pipeline.setOverrides(logLevels.overrides);
  stopping = undefined;
  ended = undefined;
  const waiting = early;
  early = [];
  for (const record of waiting) pipeline.write(record);
  if (droppedEarly > toldEarly) pipeline.write(droppedRecord('before the start', droppedEarly - toldEarly));
  toldEarly = droppedEarly;
}

/**
 * Ends logging. When it resolves every line logged before the call is on disk; it resolves within 2 s also when the
 * disk is full or the console's reader is gone, and what was lost then is counted. Lines logged afterwards go to the
 * console at once, or nowhere when its reader is behind. Without a start, what was logged goes to stderr.
 */
export function stopLogger(): Promise<void> {
  if (pipeline === undefined && early.length > 0) startLogging(CONSOLE_ONLY);
  if (pipeline === undefined) return Promise.resolve();
  stopping ??= stop(pipeline);
  return stopping;
}

async function stop(running: Pipeline): Promise<void> {
  await running.stop();
  pipeline = undefined;
  ended = running;
}

const CONSOLE_ONLY: LoggingOptions = {
  level: 'INFO',
  dir: '',
  files: false,
  consoleFormat: 'readable',
  colors: false,
  service: { name: '', version: '', environment: '', instance: '' },
};

/** What was taken, what was lost, and whether the files can be written. Counts begin anew with `startLogging`. */
export function loggingStats(): LoggingStats {
  const stats = (pipeline ?? ended)?.stats();
  const none = { degraded: false, app: NO_STATS, error: NO_STATS, console: NO_STATS };
  return { ...(stats ?? none), droppedBeforeStart: droppedEarly };
}
