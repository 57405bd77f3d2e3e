import { resolve } from 'node:path';
import { ConsoleDestination } from './console-destination.ts';
import { stderrTarget } from './console-target.ts';
import type { FileDestination } from './file-destination.ts';
import { jsonLine } from './json-line.ts';
import { RANK } from './levels.ts';
import { LogFiles } from './log-files.ts';
import type { LevelOverrides } from './log-levels.ts';
import type { LoggingOptions, LoggingTuning } from './options.ts';
import { DropReporter, logFilesRecord } from './own-lines.ts';
import { readableLine } from './readable-line.ts';
import type { LogRecord } from './record.ts';
import { destinationStats, type LoggingStats, NO_STATS } from './stats.ts';
import { within } from './within.ts';

const FLUSH_MS = 100;
const FILES_END_WITHIN_MS = 1_400;
const ALL_END_WITHIN_MS = 1_800;

/** From records to lines to destinations, between `startLogging` and `stopLogger`. */
export class Pipeline {
  /** `service` as JSON, which every line carries. */
  readonly serviceJson: string;
  readonly #options: LoggingOptions;
  readonly #files: LogFiles | undefined;
  readonly #console: ConsoleDestination;
  readonly #drops: DropReporter;
  readonly #onExit = (): void => this.#exit();
  #overrides: LevelOverrides | undefined;
  #consoleRank = 0;
  /** Of what goes anywhere by the destinations alone, and with the overrides. */
  #usualRank = 0;
  #lowestRank = 0;
  #filesEnded = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LoggingOptions, tuning: LoggingTuning) {
    this.#options = options;
    this.serviceJson = JSON.stringify(options.service);
    this.#console = new ConsoleDestination(tuning.console ?? stderrTarget(), tuning.consoleQueueBytes);
    if (options.files) {
      this.#files = new LogFiles(resolve(options.dir), tuning, (problem) => {
        this.#setRanks(true);
        this.write(logFilesRecord(problem, options.dir));
        if (problem === undefined) this.#setRanks(false);
      });
    }
    this.#drops = new DropReporter([
      ['console', this.#console.queue],
      ['app file', this.#files?.app.queue],
      ['error file', this.#files?.error.queue],
    ]);
    this.#setRanks(false);
    this.#files?.open();
    process.once('exit', this.#onExit);
  }

  /** Whether a line of this rank and logger goes anywhere. Most that do not are refused by the one comparison. */
  wants(rank: number, logger: string): boolean {
    if (rank < this.#lowestRank) return false;
    return this.#overrides === undefined || rank >= (this.#overrides.rankOf(logger) ?? this.#usualRank);
  }

  /** Whether the sink or a readable console needs the record and not only its line. */
  needsRecord(rank: number, logger: string): boolean {
    const { sink, consoleFormat } = this.#options;
    if (sink !== undefined) return true;
    return consoleFormat !== 'json' && (rank >= this.#consoleRank || this.#isOverridden(logger));
  }

  /** What loggers write from the next line on, in place of what the destinations take; `undefined` for none. */
  setOverrides(overrides: LevelOverrides | undefined): void {
    this.#overrides = overrides;
    this.#setRanks(this.#files?.degraded ?? false);
  }

  #isOverridden(logger: string): boolean {
    return this.#overrides !== undefined && this.#overrides.rankOf(logger) !== undefined;
  }

  /** While the files cannot be written, or are closed already, what they would hold goes to the console as well. */
  #setRanks(degraded: boolean): void {
    const { sink, level } = this.#options;
    this.#consoleRank = degraded ? Math.min(RANK[level], RANK.INFO) : RANK[level];
    const others = this.#files !== undefined || sink !== undefined ? RANK.INFO : this.#consoleRank;
    this.#usualRank = Math.min(this.#consoleRank, others);
    this.#lowestRank = Math.min(this.#usualRank, this.#overrides?.lowestRank ?? this.#usualRank);
  }

  write(record: LogRecord): void {
    const rank = RANK[record.level];
    if (!this.wants(rank, record.logger)) return;
    const isJson = this.#options.consoleFormat === 'json';
    const needsJson = this.#files !== undefined || isJson;
    const line = needsJson ? jsonLine(record, this.serviceJson) : '';
    this.writeLine(rank, record.logger, line, record, record.appFileOnly !== true);
  }

  /** A line that is wanted and JSON already; `record` only when {@link needsRecord} says so. */
  writeLine(rank: number, logger: string, line: string, record: LogRecord | undefined, errorFileToo: boolean): void {
    const everywhere = this.#isOverridden(logger);
    if (this.#files !== undefined && !this.#filesEnded && (rank >= RANK.INFO || everywhere)) {
      addTo(this.#files.app, line);
      if (rank >= RANK.ERROR && errorFileToo) addTo(this.#files.error, line);
    }
    if (rank >= this.#consoleRank || everywhere) {
      const { consoleFormat, colors } = this.#options;
      const shown = consoleFormat === 'json' || record === undefined ? line : readableLine(record, colors);
      addTo(this.#console, shown);
    }
    if (record !== undefined) this.#sink(record);
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  #sink(record: LogRecord): void {
    try {
      this.#options.sink?.(record);
    } catch {
      // Whoever logs must not suffer from where else the line goes; the sink counts its own losses.
    }
  }

  #flush(): void {
    this.#timer = undefined;
    for (const destination of [this.#files?.app, this.#files?.error, this.#console]) {
      destination?.queue.seal();
      destination?.pump();
    }
    const told = this.#drops.due(false);
    for (const record of told) this.write(record);
    if (this.#drops.hasUntold) this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  /** Resolves within 1.8 s: with every line on disk, unless the disk does not take them. */
  async stop(): Promise<void> {
    const deadline = performance.now() + ALL_END_WITHIN_MS;
    for (const record of this.#drops.due(true)) this.write(record);
    this.#console.queue.seal();
    this.#console.pump();
    if (this.#files !== undefined && !(await within(this.#files.close(), FILES_END_WITHIN_MS))) this.#files.giveUp();
    this.#filesEnded = true;
    this.#setRanks(this.#files !== undefined);
    for (const record of this.#drops.due(true)) this.write(record);
    await this.#console.drained(deadline - performance.now());
    clearTimeout(this.#timer);
    process.removeListener('exit', this.#onExit);
  }

  /** For what is logged after {@link stop}. */
  writeToConsole(record: LogRecord): void {
    if (RANK[record.level] < this.#consoleRank) return;
    const isJson = this.#options.consoleFormat === 'json';
    this.#console.writeNow(isJson ? jsonLine(record, this.serviceJson) : readableLine(record, this.#options.colors));
  }

  stats(): Omit<LoggingStats, 'droppedBeforeStart'> {
    return {
      degraded: this.#files?.degraded ?? false,
      app: this.#files ? destinationStats(this.#files.app.queue) : NO_STATS,
      error: this.#files ? destinationStats(this.#files.error.queue) : NO_STATS,
      console: destinationStats(this.#console.queue),
    };
  }

  /** `process.exit()` without `stopLogger()`: what can be written without the event loop still is. */
  #exit(): void {
    this.#files?.appendNow();
    this.#console.queue.seal();
    this.#console.pump();
  }
}

function addTo(destination: FileDestination | ConsoleDestination, line: string): void {
  if (destination.queue.add(line)) destination.pump();
}
