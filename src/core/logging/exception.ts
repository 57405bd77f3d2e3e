import { types } from 'node:util';
import type { ErrorSummary, ExceptionRecord } from './record.ts';
import { redactText, TEXT_LIMIT } from './secret-shapes.ts';

const MESSAGE_LIMIT = 8_192;
const MOST_CAUSES = 8;

/** Whether this is an `Error`, also of another realm; a proxy that throws is none. */
export function isError(value: unknown): value is Error {
  try {
    return types.isNativeError(value) || value instanceof Error;
  } catch {
    return false;
  }
}

function read(from: object, key: string): unknown {
  try {
    return (from as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function readText(from: object, key: string): string | undefined {
  const value = read(from, key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What was thrown, when it is no error: as much of it as can be said safely. */
function describeThrown(thrown: unknown): string {
  try {
    return typeof thrown === 'object' && thrown !== null ? (readText(thrown, 'message') ?? '') : String(thrown);
  } catch {
    return '';
  }
}

/** Type, message and stack of anything that can be thrown, redacted, each at most `limit` UTF-16 units. */
export function summarise(thrown: unknown, limit: number): ErrorSummary {
  const messageLimit = Math.min(limit, MESSAGE_LIMIT);
  if (!isError(thrown)) {
    return { type: typeof thrown, message: redactText(describeThrown(thrown), messageLimit) };
  }
  const type = readText(thrown, 'name') ?? 'Error';
  const message = readText(thrown, 'message') ?? '';
  const stack = readText(thrown, 'stack');
  return {
    type: redactText(type, 128),
    message: redactText(message, messageLimit),
    ...(stack === undefined ? {} : { stack: redactText(stack, limit) }),
  };
}

function causesOf(thrown: unknown): unknown[] {
  if (typeof thrown !== 'object' || thrown === null) return [];
  const cause = read(thrown, 'cause');
  const errors = read(thrown, 'errors');
  const found = cause === undefined ? [] : [cause];
  try {
    return Array.isArray(errors) ? found.concat(errors.slice(0, MOST_CAUSES)) : found;
  } catch {
    return found;
  }
}

/**
 * The `exception` field of a line: the error itself and its causes, at most eight of them, nearest first. `limit`
 * bounds each text in UTF-16 units. Never throws.
 */
export function describeException(thrown: unknown, limit: number = TEXT_LIMIT): ExceptionRecord {
  const seen = new Set<unknown>([thrown]);
  const waiting = causesOf(thrown);
  const causes: ErrorSummary[] = [];
  for (let next = 0; next < waiting.length && causes.length < MOST_CAUSES; next++) {
    const cause = waiting[next];
    if (seen.has(cause)) continue;
    seen.add(cause);
    causes.push(summarise(cause, limit >> 2));
    waiting.push(...causesOf(cause));
  }
  return { ...summarise(thrown, limit), causes };
}
