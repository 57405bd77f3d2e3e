import type { ConsoleTarget } from './console-target.ts';
import type { LevelName } from './levels.ts';
import { FILE_TUNING, type FileTuning } from './log-files.ts';
import type { LogSink } from './record.ts';

/** Who writes; the same values as the OpenTelemetry resource. */
export interface ServiceIdentity {
  readonly name: string;
  readonly version: string;
  readonly environment: string;
  readonly instance: string;
}

export interface LoggingOptions {
  /** What the console shows, and above. The files hold INFO and above whatever this says. */
  readonly level: LevelName;
  /** The directory of `app.json` and `error.json`; made when it is missing. */
  readonly dir: string;
  /** Whether files are written at all. */
  readonly files: boolean;
  readonly consoleFormat: 'json' | 'readable';
  readonly colors: boolean;
  readonly service: ServiceIdentity;
  /** Takes every record that a destination takes too; costs nothing when absent. */
  readonly sink?: LogSink;
}

/** Bounds and hooks that only tests change. */
export interface LoggingTuning extends FileTuning {
  readonly consoleQueueBytes: number;
  readonly console: ConsoleTarget | undefined;
}

export const LOGGING_TUNING: LoggingTuning = {
  ...FILE_TUNING,
  consoleQueueBytes: 4 * 1024 * 1024,
  console: undefined,
};
