import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 8192;
const pool = Buffer.allocUnsafe(POOL_BYTES);
let position = POOL_BYTES;

/** `bytes` random bytes as lower-case hex, never all zero (W3C Trace Context §3.2.2). One system call per 8 KiB. */
function randomHex(bytes: number): string {
  if (position + bytes > POOL_BYTES) {
    randomFillSync(pool);
    position = 0;
  }
  const hex = pool.toString('hex', position, position + bytes);
  position += bytes;
  return /[^0]/.test(hex) ? hex : randomHex(bytes);
}

/** A trace id: 16 random bytes in hex. */
export function newTraceId(): string {
  return randomHex(16);
}

/** A span id: 8 random bytes in hex. */
export function newSpanId(): string {
  return randomHex(8);
}
