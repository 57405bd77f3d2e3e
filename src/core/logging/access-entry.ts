import type { Spent } from '../context.ts';
import type { LevelName } from './levels.ts';

/** One request as its access line tells it. Durations are milliseconds. */
export interface AccessEntry extends Readonly<Spent> {
  readonly requestId: string | undefined;
  readonly userId: string | undefined;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly traceFlags: number;
  readonly method: string;
  /** The route's pattern, not the path: `/api/users/:id`. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  /** Bytes of the response's body. */
  readonly bytes: number;
  readonly userAgent: string | undefined;
  readonly ip: string | undefined;
  /** Refused before any work, to shed load. WARNING, at most ten a second. */
  readonly shed?: boolean;
  /** A probe or a scrape: DEBUG. */
  readonly debug?: boolean;
  /** Instead of what the rules say. */
  readonly level?: LevelName;
}

/**
 * The level of an access line: shed WARNING, probes DEBUG, 5xx ERROR, else INFO. A probe's 503 is its answer, not a
 * failure to give one, so it is DEBUG too.
 */
export function accessLevel(entry: AccessEntry): LevelName {
  if (entry.level !== undefined) return entry.level;
  if (entry.shed === true) return 'WARNING';
  if (entry.debug === true && (entry.status < 500 || entry.status === 503)) return 'DEBUG';
  return entry.status >= 500 ? 'ERROR' : 'INFO';
}
