import { setTimeout as delay } from 'node:timers/promises';
import type { MeasuredServer } from '../measured-server.ts';
import { type Counts, isComplete, shortfalls } from './shortfalls.ts';

const EVERY_MS = 250;
// Longer than the 5 s that the SDK's batches may wait by default.
const QUIET_MS = 7_000;
const AT_MOST_MS = 60_000;

/**
 * Waits until everything has come out of an Okapi that went into it, or nothing more comes, or a minute has gone by.
 * Returns what is then missing, a line each.
 */
export async function settle(server: MeasuredServer, signal: AbortSignal): Promise<string[]> {
  const startedAt = performance.now();
  let counts = await server.counts();
  let changedAt = startedAt;
  while (!isComplete(counts)) {
    const now = performance.now();
    if (now - changedAt > QUIET_MS || now - startedAt > AT_MOST_MS) break;
    await delay(EVERY_MS, undefined, { signal });
    const next = await server.counts();
    if (!isSame(counts, next)) changedAt = performance.now();
    counts = next;
  }
  return shortfalls(counts);
}

function isSame(a: Counts, b: Counts): boolean {
  return a.requests === b.requests && a.spans === b.spans && a.lines === b.lines;
}
