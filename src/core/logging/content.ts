import { describeException, isError } from './exception.ts';
import type { ExceptionRecord } from './record.ts';
import { redact } from './redaction.ts';

export type Values = Record<string, unknown>;

/** What a line says besides its message. */
export interface Content {
  readonly extra: Values | undefined;
  readonly exception: ExceptionRecord | undefined;
}

const KEYS_SEARCHED = 50;

/** A redacted copy as `extra`: `undefined` when it is empty, under `value` when it is no object. */
export function asExtra(copied: unknown): Values | undefined {
  if (copied === undefined || copied === null) return undefined;
  const values = typeof copied === 'object' && !Array.isArray(copied) ? (copied as Values) : { value: copied };
  return Object.keys(values).length === 0 ? undefined : values;
}

/** The first entry that is an error. */
function findError(given: unknown): { key: string; error: unknown } | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  try {
    for (const key of Object.keys(given).slice(0, KEYS_SEARCHED)) {
      const error = (given as Values)[key];
      if (isError(error)) return { key, error };
    }
  } catch {
    // A getter or a trap that throws hides an error no better than it hides anything else.
  }
  return undefined;
}

function fromExtra(given: unknown): Content {
  if (isError(given)) return { extra: undefined, exception: describeException(given) };
  const found = findError(given);
  const copied = redact(given);
  if (found === undefined) return { extra: asExtra(copied), exception: undefined };
  const { [found.key]: _described, ...rest } = asExtra(copied) ?? {};
  return { extra: asExtra(rest), exception: describeException(found.error) };
}

function fromThrown(thrown: unknown, given: unknown): Content {
  const extra = asExtra(isError(given) ? { error: redact(given) } : redact(given));
  const exception = describeException(thrown);
  if (typeof thrown !== 'object' || thrown === null || isError(thrown)) return { extra, exception };
  return { extra: { ...extra, thrown: redact(thrown) }, exception };
}

/**
 * Makes `extra` and `exception` of what a caller gave, copied and redacted. `bound` is the extra of a child logger,
 * redacted already; `thrown` holds what `exception()` was given, which may be anything, `undefined` too.
 */
export function contentOf(bound: Values | undefined, given: unknown, thrown?: { readonly error: unknown }): Content {
  const content = thrown === undefined ? fromExtra(given) : fromThrown(thrown.error, given);
  return bound === undefined ? content : { ...content, extra: { ...bound, ...content.extra } };
}
