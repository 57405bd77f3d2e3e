import type { Decision } from '../../core/security/limits/policy.ts';
import type { Hit, SharedWindows } from '../../core/security/limits/rate-limiter.ts';
import { type Redis, RedisAwayError } from './client.ts';
import { GIVE_BACK, TAKE } from './window-script.ts';

export type SharedWindowsOptions = {
  /** Before every key, so that several services can share a server. */
  prefix: string;
  /** Milliseconds since the epoch; the server's own clock unless given, which is for tests. */
  clock?: () => number;
};

/** The windows of rate limits in Redis: one call a check, whose script the server runs in one step. */
export function createSharedWindows(redis: Redis, { prefix, clock }: SharedWindowsOptions): SharedWindows {
  const keyOf = ({ limit, caller }: Hit) => `${prefix}:limit:${limit.id}:${caller}`;
  const now = () => clock?.() ?? '';

  return {
    get isUp() {
      return redis.isUp;
    },
    async take(hits) {
      const policies = hits.map(({ limit: { policy } }) => policy);
      const args = policies.flatMap(({ max, windowMs, slotMs, longestDelayMs }) => [
        max,
        windowMs,
        slotMs,
        longestDelayMs,
      ]);
      const answer = await unlessAway(redis.run(TAKE, hits.map(keyOf), [now(), ...args]));
      if (answer === undefined) return undefined;
      const [at = 0, ...numbers] = answer as number[];
      return hits.map((_hit, index): Decision => {
        const [hasRoom = 0, remaining = 0, resetMs = 0] = numbers.slice(index * 3, index * 3 + 3);
        return { isAllowed: hasRoom === 1, remaining, resetMs, at, isShared: true };
      });
    },
    async giveBack(hit, at) {
      const { windowMs, slotMs } = hit.limit.policy;
      await unlessAway(redis.run(GIVE_BACK, [keyOf(hit)], [now(), at, windowMs, slotMs]));
    },
  };
}

/** That it is away is told by health; here it is only not asked. */
async function unlessAway(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RedisAwayError) return undefined;
    throw error;
  }
}
