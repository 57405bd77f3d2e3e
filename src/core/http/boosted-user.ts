import { BOOST_ATTRIBUTE, type SamplingBoosts } from '../telemetry/sampling-boosts.ts';
import { sampleFromNow } from '../telemetry/spans/tracing.ts';
import type { Middleware } from './state.ts';
import { announceTrace } from './telemetry.ts';

/**
 * `authenticate`, and after it the requests of boosted users are sampled. Only then is known whose request it is: the
 * statement by which the session was found is not in the trace.
 */
export function withUserBoosts(authenticate: Middleware, boosts: SamplingBoosts): Middleware {
  return function authenticateAndBoost(ctx, next) {
    return authenticate(ctx, () => {
      const { span, principal } = ctx.state;
      if (span !== undefined && principal !== undefined && boosts.coversUser(principal.userId) && sampleFromNow(span)) {
        span.setAttribute(BOOST_ATTRIBUTE, 'user');
        announceTrace(ctx.res, span);
      }
      return next();
    });
  };
}
