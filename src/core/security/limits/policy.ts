const SECOND_MS = 1000;
const SLOTS = 60;

/** How many hits are allowed in how long, as somebody declares it. */
export type LimitRule = {
  /** What the limit is called in the headers, in metrics and in Redis: `[a-z][a-z-]*`, of its own on each route. */
  name: string;
  /** How many hits within the window; 0 is off. */
  max: number;
  windowSeconds: number;
  /** The setting that raises `max`: in development a refusal names it. */
  setting?: string;
};

/** A rule as it is counted by. */
export type Policy = {
  readonly name: string;
  readonly max: number;
  readonly windowMs: number;
  readonly setting: string | undefined;
  /** Hits in the same slot are kept as one entry with the time of the last, so that a window has a bounded size. */
  readonly slotMs: number;
  /**
   * With this, `max` hits are followed by single ones, each after a delay that doubles from one second to this; without,
   * which is 0, by none until the window has room again.
   */
  readonly longestDelayMs: number;
  /** Its item in `RateLimit-Policy`. */
  readonly header: string;
};

const NAME = /^[a-z][a-z-]{0,62}$/;

/**
 * Makes a rule ready to be counted by; `longestDelaySeconds` as `longestDelayMs` above. Throws `RangeError` when it is
 * none that can be kept.
 */
export function policyOf(rule: LimitRule, longestDelaySeconds = 0): Policy {
  const { name, max, windowSeconds, setting } = rule;
  if (!NAME.test(name)) throw new RangeError(`a limit is named by lower case letters and hyphens, not ${name}`);
  if (!Number.isInteger(max) || max < 1) throw new RangeError(`${name} must allow a whole number, not ${max}`);
  if (!Number.isInteger(windowSeconds) || windowSeconds < 1) {
    throw new RangeError(`${name} must have a window of whole seconds, not ${windowSeconds}`);
  }
  const windowMs = windowSeconds * SECOND_MS;
  return {
    name,
    max,
    windowMs,
    setting,
    slotMs: max <= SLOTS ? 1 : windowMs / SLOTS,
    longestDelayMs: longestDelaySeconds * SECOND_MS,
    header: `"${name}";q=${max};w=${windowSeconds}`,
  };
}

/** What a window said to a hit. */
export type Decision = {
  /** Whether this window had room. The hit was counted only if all windows that were asked together had. */
  readonly isAllowed: boolean;
  /** Hits that are left. */
  readonly remaining: number;
  /** Milliseconds until there is more room: for who was refused, when to come again. */
  readonly resetMs: number;
  /** When the hit was counted, by the clock of whoever counted it. */
  readonly at: number;
  /** Whether it was counted where all replicas count. */
  readonly isShared: boolean;
};
