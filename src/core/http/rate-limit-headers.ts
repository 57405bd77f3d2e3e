import { trace } from '@opentelemetry/api';
import { TooManyRequestsError } from '../errors/app-http-error.ts';
import type { Decision, Policy } from '../security/limits/policy.ts';
import { rateLimitRefused } from '../telemetry/metrics/service-metrics.ts';
import type { OkapiContext } from './state.ts';

/**
 * Adds to the answer what a limit is and what is left of it: the fields `RateLimit-Policy` and `RateLimit` of
 * draft-ietf-httpapi-ratelimit-headers-10, one item for each limit that the request met, outermost first. `t` is the time
 * until there is more room, not until all of it is there again.
 */
export function announceLimit({ res }: OkapiContext, policy: Policy, decision: Decision): void {
  const item = `"${policy.name}";r=${decision.remaining};t=${inSeconds(decision.resetMs)}`;
  const before = res.getHeader('RateLimit');
  if (before === undefined) {
    res.setHeader('RateLimit-Policy', policy.header);
    res.setHeader('RateLimit', item);
  } else {
    res.setHeader('RateLimit-Policy', `${res.getHeader('RateLimit-Policy')}, ${policy.header}`);
    res.setHeader('RateLimit', `${before}, ${item}`);
  }
}

/** The 429 of a limit that is used up; counts it. Whoever develops is told which setting would allow more. */
export function limitExceeded(policy: Policy, decision: Decision, namesSettings: boolean): TooManyRequestsError {
  rateLimitRefused.labels({ limit: policy.name }).inc();
  trace.getActiveSpan()?.setAttribute('okapi.rate_limit', policy.name);
  const retryAfterSeconds = Math.max(1, inSeconds(decision.resetMs));
  const words = `Too many requests: come again in ${retryAfterSeconds} s`;
  return new TooManyRequestsError(namesSettings ? `${words} (${hintOf(policy)})` : words, { retryAfterSeconds });
}

function hintOf({ setting, max, windowMs }: Policy): string {
  const rule = `${max} in ${windowMs / 1000} s are allowed`;
  return setting === undefined
    ? `${rule}; RATE_LIMIT_ENABLED=false switches limits off`
    : `${rule}; ${setting} raises that`;
}

function inSeconds(ms: number): number {
  return Math.max(0, Math.ceil(ms / 1000));
}
