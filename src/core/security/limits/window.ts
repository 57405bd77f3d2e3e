import type { Decision, Policy } from './policy.ts';

const FIRST_DELAY_MS = 1000;

/**
 * The hits of one caller, sliding: in no span of `windowMs` are there more than `max` (with a longest delay: more than
 * that and the single ones after it). Keeps at most one entry for each slot of the policy. Every method takes the policy
 * and the time in milliseconds, of any clock that does not go back.
 *
 * `db/redis/window-script.ts` says the same in Lua: a test holds the two together.
 */
export class Window {
  readonly #times: number[] = [];
  readonly #counts: number[] = [];
  #total = 0;
  #blockedUntil = 0;

  /** Whether a hit at this time has room. Forgets what is over. */
  hasRoom(policy: Policy, now: number): boolean {
    this.#forget(now - policy.windowMs);
    return policy.longestDelayMs > 0 ? this.#blockedUntil <= now : this.#total < policy.max;
  }

  /** Counts a hit; to be asked after `hasRoom`. */
  hit({ max, slotMs, longestDelayMs }: Policy, now: number): void {
    const last = this.#times.length - 1;
    const lastTime = this.#times[last];
    if (lastTime !== undefined && Math.floor(lastTime / slotMs) === Math.floor(now / slotMs)) {
      this.#times[last] = now;
      this.#counts[last] = (this.#counts[last] ?? 0) + 1;
    } else {
      this.#times.push(now);
      this.#counts.push(1);
    }
    this.#total++;
    if (longestDelayMs > 0 && this.#total >= max) {
      this.#blockedUntil = now + Math.min(longestDelayMs, FIRST_DELAY_MS * 2 ** (this.#total - max));
    }
  }

  /** Takes back a hit that was counted at `at`, as if it had not been; and with it the delay that it brought. */
  giveBack({ slotMs }: Policy, at: number): void {
    const slot = Math.floor(at / slotMs);
    const index = this.#times.findLastIndex((time) => Math.floor(time / slotMs) === slot);
    const count = this.#counts[index];
    if (count === undefined) return;
    if (count > 1) this.#counts[index] = count - 1;
    else {
      this.#times.splice(index, 1);
      this.#counts.splice(index, 1);
    }
    this.#total--;
    this.#blockedUntil = 0;
  }

  /** What to say to a hit that had room or not, after it was counted or not. */
  decide(policy: Policy, now: number, isAllowed: boolean): Decision {
    const remaining = Math.max(0, policy.max - this.#total);
    return { isAllowed, remaining, resetMs: this.#resetMs(policy, now), at: now, isShared: false };
  }

  /** Whether nothing is known of this caller any more. */
  isOver(policy: Policy, now: number): boolean {
    this.#forget(now - policy.windowMs);
    return this.#total === 0 && this.#blockedUntil <= now;
  }

  get total(): number {
    return this.#total;
  }

  /** Until the oldest hit is over, or of so many that there is room again; past `max`, until the delay is over. */
  #resetMs({ max, windowMs }: Policy, now: number): number {
    if (this.#blockedUntil > now) return this.#blockedUntil - now;
    let left = this.#total;
    for (let oldest = 0; oldest < this.#times.length; oldest++) {
      left -= this.#counts[oldest] ?? 0;
      if (left < max) return (this.#times[oldest] ?? 0) + windowMs - now;
    }
    return 0;
  }

  #forget(until: number): void {
    let time = this.#times[0];
    while (time !== undefined && time <= until) {
      this.#times.shift();
      this.#total -= this.#counts.shift() ?? 0;
      time = this.#times[0];
    }
  }
}
