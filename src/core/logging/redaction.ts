import { Copier, REDACTION_LIMITS, type RedactionLimits } from './bounded-copy.ts';
import { cut, HIDDEN, redactText } from './secret-shapes.ts';

export { cut, HIDDEN, redactText };

/**
 * A copy that is safe to write anywhere: secrets hidden by key at any depth and by shape in every string, plain JSON
 * values only, bounded in depth, size and text. Survives cycles, throwing getters and proxies, and a hostile `toJSON`.
 */
export function redact(value: unknown, limits: RedactionLimits = REDACTION_LIMITS): unknown {
  return new Copier(limits).copy(value);
}

/** {@link cut} with a secret-safe text: the message of a line. */
export function redactMessage(message: unknown, limit: number): string {
  if (typeof message === 'string') return redactText(message, limit);
  const copied = redact(message);
  return cut(typeof copied === 'string' ? copied : JSON.stringify(copied ?? String(copied)), limit);
}
