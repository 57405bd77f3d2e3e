import { setTimeout as delay } from 'node:timers/promises';

const ASK_EVERY_MS = 10;
/** No promise of anything: how long a test that fails takes to say so, on a machine that is slow or stalls. */
const PATIENCE_MS = 20_000;

/**
 * Asks until the answer is there, for what becomes true at a time of its own: the end of a process, a line in a file.
 * @returns the first answer that is neither false, null nor undefined.
 * @throws when there is none after twenty seconds, with the last error as its cause.
 */
export async function eventually<T>(ask: () => T | Promise<T>): Promise<Exclude<NonNullable<T>, false>> {
  const deadline = performance.now() + PATIENCE_MS;
  let cause: unknown;
  do {
    try {
      const answer = await ask();
      if (answer !== false && answer !== null && answer !== undefined) return answer as Exclude<NonNullable<T>, false>;
    } catch (error) {
      cause = error;
    }
    await delay(ASK_EVERY_MS);
  } while (performance.now() < deadline);
  throw new Error(`Not within ${PATIENCE_MS} ms: ${ask}`, { cause });
}
