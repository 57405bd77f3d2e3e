import type { Readable } from 'node:stream';
import { type Exception, SpanStatusCode } from '@opentelemetry/api';
import type Koa from 'koa';
import { NotFoundError } from '../errors/app-http-error.ts';
import { getLogger } from '../logging/index.ts';
import { resolveException } from './exception-handlers.ts';
import { sendAnswer } from './response.ts';
import type { Middleware, OkapiContext } from './state.ts';
import { streamBody } from './stream-body.ts';

const logger = getLogger('app.http.errors');

/** Headers that an error answer keeps; whatever else the handler had set is about an answer that did not come. */
const KEPT =
  /^(x-request-id|traceresponse|server-timing|vary|access-control-.*|strict-transport-security|x-content-type-options|x-frame-options|referrer-policy|content-security-policy)$/;

/** Turns whatever the inner layers throw into the problem body. */
export function errorEnvelope(): Middleware {
  return async function errorEnvelope(ctx, next) {
    try {
      await next();
      if (ctx.state.answer === undefined) {
        if (isUnanswered(ctx)) throw new NotFoundError('Nothing was answered here');
        const stream = streamBody(ctx);
        if (stream !== undefined) await beginStream(stream, ctx);
      }
    } catch (thrown) {
      answerError(thrown, ctx);
    }
    const { answer } = ctx.state;
    if (answer !== undefined && !ctx.headerSent) sendAnswer(ctx, answer);
  };
}

function isUnanswered({ status, body, headerSent }: OkapiContext): boolean {
  return status === 404 && (body === undefined || body === null) && !headerSent;
}

/**
 * Waits until a stream has something to give, so that one which fails at once is answered as any error is. What fails
 * later is recorded here: Koa cuts the connection before it tells of it, as if the client had gone.
 */
async function beginStream(stream: Readable, ctx: OkapiContext): Promise<void> {
  if (stream.errored !== null) throw stream.errored;
  if (stream.readableLength === 0 && !stream.readableEnded) await firstBytes(stream);
  stream.once('error', (error) => {
    if (!isClientGone(ctx)) recordCut(error, ctx);
  });
}

async function firstBytes(stream: Readable): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.once('readable', resolve).once('close', resolve).once('error', reject);
  try {
    await promise;
  } finally {
    stream.off('readable', resolve).off('close', resolve).off('error', reject);
  }
}

/**
 * Koa calls `ctx.onerror` for what fails after the layers are done: a stream that breaks, a body that cannot be
 * serialized, a client that has gone. It gets the same treatment. Once headers are sent, only closing the connection
 * tells the client that the answer is not whole.
 */
export function handleLateErrors(app: Koa): void {
  app.context.onerror = function onerror(this: OkapiContext, thrown: unknown): void {
    if (thrown === null || thrown === undefined || isClientGone(this)) return;
    // Nobody stands behind this function: what it throws would end the process.
    try {
      answerError(thrown, this);
      const { answer } = this.state;
      if (answer !== undefined && !this.headerSent) sendAnswer(this, answer);
    } catch (error) {
      logger.exception('An error could not be answered', error);
      this.res.destroy();
    }
  };
}

function answerError(thrown: unknown, ctx: OkapiContext): void {
  // Whatever failed then, failed because of that; nobody is there to be answered.
  if (isClientGone(ctx)) return;
  if (ctx.headerSent) {
    recordCut(thrown, ctx);
    ctx.res.destroy();
    return;
  }
  const error = resolveException(thrown, ctx);
  dropHeaders(ctx);
  ctx.respond.error(error);
  noteError(thrown, ctx);
  if (error.status === 500) recordError(thrown, ctx);
  else if (error.status > 500) markSpan(thrown, ctx);
}

function dropHeaders({ res }: OkapiContext): void {
  for (const name of res.getHeaderNames()) if (!KEPT.test(name)) res.removeHeader(name);
  res.setHeader('Cache-Control', 'no-store');
}

/** For the telemetry layer, which counts it; `undefined` there would say that nothing was thrown. */
function noteError(thrown: unknown, ctx: OkapiContext): void {
  ctx.state.error = thrown ?? new Error(`${thrown} was thrown`);
}

/** Said once, in full, where the operator looks: in the log and on the span. */
function recordError(thrown: unknown, ctx: OkapiContext): void {
  noteError(thrown, ctx);
  logger.exception(`${ctx.method} ${ctx.state.route?.template ?? 'unmatched'} failed`, thrown);
  markSpan(thrown, ctx);
}

/** The same for an answer that ends half way; telemetry takes it for a 500, not for a client that has gone. */
function recordCut(thrown: unknown, ctx: OkapiContext): void {
  ctx.state.isCut = true;
  recordError(thrown, ctx);
}

function markSpan(thrown: unknown, ctx: OkapiContext): void {
  const { span } = ctx.state;
  if (span === undefined) return;
  span.recordException(thrown instanceof Error ? thrown : (inWords(thrown) as Exception));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Anything can be thrown, also what has no text form. */
function inWords(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}

function isClientGone(ctx: OkapiContext): boolean {
  return ctx.res.destroyed || ctx.req.socket.destroyed;
}
