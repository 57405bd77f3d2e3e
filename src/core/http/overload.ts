import { type AppHttpError, ServiceUnavailableError } from '../errors/app-http-error.ts';
import { isQuietPath } from './quiet-paths.ts';
import type { Middleware, OkapiContext } from './state.ts';

export type OverloadOptions = {
  /** Requests that may be under way at a time. */
  maxInFlight: number;
  /** Whether the event loop has been late for a while; see `EventLoopWatch`. */
  isLoopLate: () => boolean;
};

// Made once and never thrown: under overload, refusing must cost next to nothing.
const SHED = new ServiceUnavailableError('Too many requests at this moment', {
  code: 'overload.shed',
  retryAfterSeconds: 1,
});

/**
 * Refuses at once what could only be answered late: past `maxInFlight`, or while the event loop is late and others are
 * under way already. Health and metrics are never refused, or nobody would see why.
 */
export function overload({ maxInFlight, isLoopLate }: OverloadOptions): Middleware {
  let inFlight = 0;
  const leave = () => {
    inFlight--;
  };
  const fail = (error: unknown) => {
    inFlight--;
    throw error;
  };
  return function overload(ctx, next) {
    if (isQuietPath(ctx.state.path)) return next();
    if (inFlight >= maxInFlight || (inFlight > 0 && isLoopLate())) return shed(ctx, SHED);
    inFlight++;
    return next().then(leave, fail);
  };
}

/** Answers `refusal` before any work is done. It is no error of this request, and logged at most ten times a second. */
export async function shed(ctx: OkapiContext, refusal: AppHttpError): Promise<void> {
  ctx.state.isShed = true;
  ctx.state.span?.setAttribute('okapi.error.code', refusal.code);
  ctx.res.setHeader('Cache-Control', 'no-store');
  ctx.respond.error(refusal);
}
