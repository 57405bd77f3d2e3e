import { createHmac } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { rateLimitEvicted, rateLimitLocal } from '../../telemetry/metrics/service-metrics.ts';
import { MemoryWindows } from './memory-windows.ts';
import type { Decision, Policy } from './policy.ts';

/** A limit of one route, or of all: its policy, and the windows that this process keeps of it. */
export type Limit = {
  readonly policy: Policy;
  /** Where it is counted by all replicas together: the same text everywhere, and no other limit's. */
  readonly id: string;
  readonly windows: MemoryWindows;
};

/** A hit of a caller on a limit. */
export type Hit = { readonly limit: Limit; readonly caller: string };

/** Where all replicas count together. A server that is away is no error here: its answer is `undefined`. */
export type SharedWindows = {
  /** Whether it is worth asking. */
  readonly isUp: boolean;
  /** Counts one hit each, or none when one of them has no room: in one step, whoever else asks. */
  take(hits: readonly Hit[]): Promise<readonly Decision[] | undefined>;
  giveBack(hit: Hit, at: number): Promise<void>;
};

export type RateLimiterOptions = {
  enabled: boolean;
  /** Whether a refusal tells which setting raises the limit: for developers. */
  namesSettings: boolean;
  /** What the addresses of accounts are hidden by, the same on all replicas; asked for each time, since keys rotate. */
  accountSecret: () => Buffer | undefined;
  shared?: SharedWindows;
  /** Milliseconds that do not go back. */
  clock?: () => number;
};

/**
 * Counts hits on limits: where all replicas count when that can be had, else in this process, each limit in a window of
 * its own for each caller.
 */
export class RateLimiter {
  readonly enabled: boolean;
  readonly namesSettings: boolean;
  readonly #accountSecret: () => Buffer | undefined;
  readonly #shared: SharedWindows | undefined;
  readonly #clock: () => number;
  readonly #limits = new Map<string, Limit>();

  constructor(options: RateLimiterOptions) {
    const { enabled, namesSettings, accountSecret, shared, clock = () => performance.now() } = options;
    this.enabled = enabled;
    this.namesSettings = namesSettings;
    this.#accountSecret = accountSecret;
    this.#shared = shared;
    this.#clock = clock;
  }

  /**
   * A limit to be asked later, many times; the same one for the same scope and name. `scope` is what it is for: a method
   * and the template of a route, or what several routes share. Throws `RangeError` when that one has another policy.
   */
  limit(policy: Policy, scope: string): Limit {
    const id = `${scope}:${policy.name}`;
    const known = this.#limits.get(id);
    if (known !== undefined && isDeepStrictEqual(known.policy, policy)) return known;
    if (known !== undefined) throw new RangeError(`There are two limits ${policy.name} in ${scope}, which differ`);
    const evicted = rateLimitEvicted.labels({ limit: policy.name });
    const limit = { policy, id, windows: new MemoryWindows(policy, () => evicted.inc()) };
    this.#limits.set(id, limit);
    return limit;
  }

  /** Counts one hit if there is room. Decided at once where this process alone counts. */
  take(limit: Limit, caller: string): Decision | Promise<Decision> {
    const shared = this.#shared;
    if (shared === undefined) return this.#takeHere(limit, caller);
    return this.takeAll([{ limit, caller }]).then(([decision]) => decision as Decision);
  }

  /** Counts one hit in each of the windows, or in none when one of them has no room. One decision for each. */
  async takeAll(hits: readonly Hit[]): Promise<readonly Decision[]> {
    if (this.#shared !== undefined) {
      const decisions = this.#shared.isUp ? await this.#shared.take(hits) : undefined;
      if (decisions !== undefined) return decisions;
      rateLimitLocal.inc();
    }
    return this.#takeAllHere(hits);
  }

  /** Takes back a hit that turned out to be none. */
  async giveBack(hit: Hit, { at, isShared }: Decision): Promise<void> {
    if (isShared) await this.#shared?.giveBack(hit, at);
    else hit.limit.windows.find(hit.caller)?.giveBack(hit.limit.policy, at);
  }

  /** Who an account is where it is counted: an HMAC, so that no address of a person stands in Redis or in memory. */
  callerOfAccount(address: string): string {
    const secret = this.#accountSecret();
    if (secret === undefined) throw new Error('There is no key to hide the addresses of accounts by');
    return createHmac('sha256', secret).update(address).digest('base64url').slice(0, 22);
  }

  #takeHere({ policy, windows }: Limit, caller: string): Decision {
    const now = this.#clock();
    const window = windows.windowOf(caller, now);
    const isAllowed = window.hasRoom(policy, now);
    if (isAllowed) window.hit(policy, now);
    return window.decide(policy, now, isAllowed);
  }

  #takeAllHere(hits: readonly Hit[]): readonly Decision[] {
    const now = this.#clock();
    const asked = hits.map(({ limit: { policy, windows }, caller }) => {
      const window = windows.windowOf(caller, now);
      return { policy, window, hasRoom: window.hasRoom(policy, now) };
    });
    const isAllowed = asked.every(({ hasRoom }) => hasRoom);
    return asked.map(({ policy, window, hasRoom }) => {
      if (isAllowed) window.hit(policy, now);
      return window.decide(policy, now, hasRoom);
    });
  }
}
