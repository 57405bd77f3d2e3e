import type { LevelName } from './levels.ts';

/** Where a line was logged, in the TypeScript source. `json` is the three fields ready for a line. */
export interface CallSite {
  /** Path of the file relative to the project's root, with `/`. */
  readonly module: string;
  readonly function: string;
  readonly line: number;
  readonly json: string;
}

/** One error, made safe to write: redacted and bounded. */
export interface ErrorSummary {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
}

/** An error with what caused it: the `cause` chain and an `AggregateError`'s errors, nearest first. */
export interface ExceptionRecord extends ErrorSummary {
  readonly causes: readonly ErrorSummary[];
}

/**
 * A log line before it becomes text. Everything in it is already redacted and bounded, and `extra` holds plain JSON
 * values only, so a sink can send it on as it is.
 */
export interface LogRecord {
  /** Milliseconds since the epoch, when the call was made. */
  readonly timeMs: number;
  readonly level: LevelName;
  readonly message: string;
  readonly logger: string;
  readonly site: CallSite;
  readonly requestId: string | undefined;
  readonly userId: string | undefined;
  readonly jobName: string | undefined;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly traceFlags: number;
  readonly extra: Record<string, unknown> | undefined;
  readonly exception: ExceptionRecord | undefined;
  /** An access line: it stays out of `error.json` whatever its level. */
  readonly appFileOnly?: boolean;
}

/** Takes every record that a destination takes too. Called synchronously; must not throw or wait. */
export type LogSink = (record: LogRecord) => void;
