import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 8192;
const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
const pool = Buffer.allocUnsafe(POOL_BYTES);
let position = POOL_BYTES;

/** Where the next `bytes` random bytes stand in the pool. One system call per 8 KiB. */
function take(bytes: number): number {
  if (position + bytes > POOL_BYTES) {
    randomFillSync(pool);
    position = 0;
  }
  const start = position;
  position += bytes;
  return start;
}

function isZero(start: number, bytes: number): boolean {
  for (let at = start; at < start + bytes; at++) if (pool[at] !== 0) return false;
  return true;
}

/** A span id: 8 random bytes as lower-case hex, never all zero (W3C Trace Context §3.2.2.4). */
export function newSpanId(): string {
  const start = take(SPAN_BYTES);
  return isZero(start, SPAN_BYTES) ? newSpanId() : pool.toString('hex', start, start + SPAN_BYTES);
}

/** The ids of a new trace and of its first span: 16 and 8 random bytes in hex, neither all zero (§3.2.2.3). */
export function newRootIds(): { traceId: string; spanId: string } {
  const start = take(TRACE_BYTES + SPAN_BYTES);
  if (isZero(start, TRACE_BYTES) || isZero(start + TRACE_BYTES, SPAN_BYTES)) return newRootIds();
  // As one text cut in two: each conversion costs more than the digits do.
  const digits = pool.toString('hex', start, start + TRACE_BYTES + SPAN_BYTES);
  return { traceId: digits.slice(0, 2 * TRACE_BYTES), spanId: digits.slice(2 * TRACE_BYTES) };
}
