import { AppHttpError, ServiceUnavailableError } from '../errors/app-http-error.ts';
import { getLogger } from '../logging/index.ts';
import { isQuietPath } from './quiet-paths.ts';
import { RunningRequest, RunningRequests } from './running-requests.ts';
import type { Middleware, OkapiContext } from './state.ts';

const logger = getLogger('app.http.deadline');

/**
 * Answers 503 when a request is not done after `timeoutMs`, 408 when its body has not even arrived by then. The signal of
 * its carrier aborts, which cancels the statement under way. All requests have the same time, so the oldest expires
 * first, and one timer is enough for all of them. A route that declares a longer `timeoutMs` is given it then.
 * `running` holds those under way, oldest first, for whoever wants to look at them.
 */
export function deadline(timeoutMs: number, running = new RunningRequests()): Middleware {
  let timer: NodeJS.Timeout | undefined;

  function watch(ms: number): void {
    timer = setTimeout(expire, ms);
    timer.unref();
  }

  function expire(): void {
    timer = undefined;
    const now = performance.now();
    for (const request of running.values()) {
      if (request.isExtended) continue;
      if (request.expiresAt > now) {
        watch(request.expiresAt - now);
        return;
      }
      const { req, state } = request.ctx;
      const ownMs = state.route?.timeoutMs ?? 0;
      if (ownMs > timeoutMs && req.complete) extend(request, ownMs, now);
      else giveUp(request, timeoutMs);
    }
  }

  function extend(request: RunningRequest, ownMs: number, now: number): void {
    const expiresAt = request.expiresAt - timeoutMs + ownMs;
    request.isExtended = true;
    request.ctx.state.carrier.expiresAt = expiresAt;
    setTimeout(() => giveUp(request, ownMs), expiresAt - now).unref();
  }

  function giveUp(request: RunningRequest, afterMs: number): void {
    if (!running.delete(request)) return;
    const reason = reasonFor(request.ctx, afterMs);
    request.reject(reason);
    request.ctx.state.carrier.abort(reason);
  }

  return function deadline(ctx, next) {
    if (isQuietPath(ctx.state.path)) return next();
    return new Promise<void>((resolve, reject) => {
      const request = new RunningRequest(ctx, ctx.state.startedAt + timeoutMs, reject);
      ctx.state.carrier.expiresAt = request.expiresAt;
      running.add(request);
      if (timer === undefined) watch(timeoutMs);
      next().then(
        () => {
          running.delete(request);
          resolve();
        },
        (error: unknown) => {
          running.delete(request);
          reportLate(error, ctx);
          reject(error);
        },
      );
    });
  };
}

function reasonFor({ req }: OkapiContext, timeoutMs: number): AppHttpError {
  if (!req.complete) {
    return new AppHttpError(408, 'The request did not arrive in time', {
      title: 'Request Timeout',
      code: 'request.timeout',
      headers: { Connection: 'close' },
    });
  }
  return new ServiceUnavailableError(`The request was not done after ${timeoutMs} ms`, {
    code: 'request.deadline',
    retryAfterSeconds: 1,
  });
}

/** What fails after the deadline was answered already; that it was called off is no news. */
function reportLate(error: unknown, { state: { carrier } }: OkapiContext): void {
  if (carrier.aborted === undefined || error === carrier.aborted) return;
  logger.warning('A request failed after its deadline', { error });
}
