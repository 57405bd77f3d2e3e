import { type Exception, SpanStatusCode } from '@opentelemetry/api';
import type Koa from 'koa';
import { getLogger } from '../logging/index.ts';
import { resolveException } from './exception-handlers.ts';
import type { Middleware, OkapiContext } from './state.ts';

const logger = getLogger('app.http.errors');

/** Headers that an error answer keeps; whatever else the handler had set is about an answer that did not come. */
const KEPT =
  /^(x-request-id|traceresponse|server-timing|vary|access-control-.*|strict-transport-security|x-content-type-options|x-frame-options|referrer-policy|content-security-policy|cross-origin-.*|origin-agent-cluster|x-dns-prefetch-control|x-download-options|x-permitted-cross-domain-policies|x-xss-protection)$/;

/** Turns whatever the inner layers throw into the problem body. */
export function errorEnvelope(): Middleware {
  return async function errorEnvelope(ctx, next) {
    try {
      await next();
    } catch (thrown) {
      answerError(thrown, ctx);
    }
  };
}

/**
 * Koa calls `ctx.onerror` for what fails after the layers are done: a stream that breaks, a body that cannot be
 * serialized, a client that has gone. It gets the same treatment. Once headers are sent, only closing the connection
 * tells the client that the answer is not whole.
 */
export function handleLateErrors(app: Koa): void {
  app.context.onerror = function onerror(this: OkapiContext, thrown: unknown): void {
    if (thrown === null || thrown === undefined) return;
    if (isClientGone(this)) return;
    if (this.headerSent) {
      recordError(thrown, this);
      this.res.destroy();
      return;
    }
    answerError(thrown, this);
    this.res.end(this.method === 'HEAD' ? undefined : (this.body as string));
  };
}

function answerError(thrown: unknown, ctx: OkapiContext): void {
  if (ctx.headerSent) {
    recordError(thrown, ctx);
    ctx.res.destroy();
    return;
  }
  const error = resolveException(thrown, ctx);
  for (const name of ctx.res.getHeaderNames()) if (!KEPT.test(name)) ctx.res.removeHeader(name);
  ctx.res.setHeader('Cache-Control', 'no-store');
  ctx.respond.error(error);
  ctx.state.error = thrown;
  if (error.status === 500) recordError(thrown, ctx);
  else if (error.status > 500) markSpan(thrown, ctx);
}

/** Said once, in full, where the operator looks: in the log and on the span. */
function recordError(thrown: unknown, ctx: OkapiContext): void {
  ctx.state.error = thrown;
  logger.exception(`${ctx.method} ${ctx.state.route?.template ?? 'unmatched'} failed`, thrown);
  markSpan(thrown, ctx);
}

function markSpan(thrown: unknown, ctx: OkapiContext): void {
  const { span } = ctx.state;
  if (span === undefined) return;
  span.recordException(thrown instanceof Error ? thrown : (String(thrown) as Exception));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function isClientGone(ctx: OkapiContext): boolean {
  return ctx.res.destroyed || ctx.req.socket.destroyed;
}
