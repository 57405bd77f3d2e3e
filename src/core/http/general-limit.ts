import { networkOf } from '../security/limits/network.ts';
import { type Decision, policyOf } from '../security/limits/policy.ts';
import type { RateLimiter } from '../security/limits/rate-limiter.ts';
import { announceLimit, limitExceeded } from './rate-limit-headers.ts';
import type { Middleware, OkapiContext } from './state.ts';

export type GeneralLimitOptions = {
  limiter: RateLimiter;
  /** Requests of an address in a minute; 0 is off. */
  max: number;
};

/** Bounds what one address may ask of `/api` in a minute, whatever it asks. Throws 429. */
export function generalLimit({ limiter, max }: GeneralLimitOptions): Middleware {
  if (!limiter.enabled || max === 0) {
    return function generalLimit(_ctx, next) {
      return next();
    };
  }
  const policy = policyOf({ name: 'general', max, windowSeconds: 60, setting: 'RATE_LIMIT_GENERAL' });
  const limit = limiter.limit(policy, 'all');

  function proceed(ctx: OkapiContext, next: () => Promise<void>, decision: Decision): Promise<void> {
    announceLimit(ctx, policy, decision);
    if (decision.isAllowed) return next();
    return Promise.reject(limitExceeded(policy, decision, limiter.namesSettings));
  }

  return function generalLimit(ctx, next) {
    const { path, clientAddress } = ctx.state;
    if (!path.startsWith('/api/') && path !== '/api') return next();
    const decision = limiter.take(limit, networkOf(clientAddress));
    if (decision instanceof Promise) return decision.then((late) => proceed(ctx, next, late));
    return proceed(ctx, next, decision);
  };
}
