import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';

export const TOO_LATE = Symbol('too late');

const SLICE_MS = 100;

/**
 * What comes of `answer`, or `TOO_LATE` after `timeoutMs`. Only time in which this process could have heard it counts: a
 * debugger, a frozen container or a long computation of our own says nothing about the other side.
 */
export async function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T | typeof TOO_LATE> {
  const isSettled = new AbortController();
  try {
    return await Promise.race([answer, pass(timeoutMs, isSettled.signal)]);
  } finally {
    isSettled.abort();
  }
}

/** A slice that lasts longer than it should, since the event loop stood still, counts as one slice. */
async function pass(ms: number, signal: AbortSignal): Promise<typeof TOO_LATE> {
  for (let leftMs = ms; leftMs > 0 && !signal.aborted; leftMs -= SLICE_MS) {
    // It rejects when the answer is there; nobody listens any more then.
    await delay(Math.min(SLICE_MS, leftMs), undefined, { signal }).catch(() => undefined);
    // What has arrived meanwhile is read before this goes on.
    await nextTurn();
  }
  return TOO_LATE;
}
