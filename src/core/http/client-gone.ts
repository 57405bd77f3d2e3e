import type { OkapiContext } from './state.ts';

/** Codes of Node and, for a statement that was called off, of PostgreSQL. */
const CODES = new Set([
  '57014',
  'ABORT_ERR',
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ERR_HTTP_REQUEST_TIMEOUT',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_UNABLE_TO_PIPE',
  'ERR_STREAM_WRITE_AFTER_END',
]);

/** Whether nobody is there any more to be answered. */
export function isClientGone({ req, res }: Pick<OkapiContext, 'req' | 'res'>): boolean {
  return res.destroyed || req.socket.destroyed;
}

/**
 * Whether something failed just because the client has gone: a read that was cut off, a write into nothing, work that
 * was called off. What is anything else would have failed for a client that waits, too.
 */
export function isCausedByLeaving(thrown: unknown): boolean {
  if (thrown === null || thrown === undefined) return true;
  try {
    const { code, name } = thrown as { code?: unknown; name?: unknown };
    return name === 'AbortError' || (typeof code === 'string' && CODES.has(code));
  } catch {
    return false;
  }
}
