import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type Koa from 'koa';
import { NotFoundError } from '../errors/app-http-error.ts';
import { isCausedByLeaving, isClientGone } from './client-gone.ts';
import { recordAnswered, recordCut, recordUnanswerable, recordUnheard } from './error-records.ts';
import { resolveException } from './exception-handlers.ts';
import { sendAnswer } from './response.ts';
import type { Middleware, OkapiContext } from './state.ts';
import { streamBody } from './stream-body.ts';

/**
 * Headers that an error answer keeps: those of the layers. Whatever the handler had set is about an answer that did not
 * come.
 */
const KEPT =
  /^(x-request-id|traceresponse|server-timing|vary|access-control-.*|strict-transport-security|x-content-type-options|x-frame-options|referrer-policy|content-security-policy|ratelimit|ratelimit-policy)$/;

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
 * Waits until a stream has something to give, so that one which fails at once or right after is answered as any error
 * is. What fails later is recorded here: Koa cuts the connection before it tells of it, as if the client had gone.
 */
async function beginStream(stream: Readable, ctx: OkapiContext): Promise<void> {
  let hasBegun = false;
  stream.once('error', (error) => {
    if (!hasBegun) return;
    if (!isClientGone(ctx)) recordCut(error, ctx);
    else if (!isCausedByLeaving(error)) recordUnheard(error, ctx);
  });
  if (stream.readableLength === 0 && !stream.readableEnded && !stream.destroyed) await firstBytes(stream);
  await nextTurn();
  if (stream.errored !== null) throw stream.errored;
  hasBegun = true;
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
      recordUnanswerable(error);
      this.res.destroy();
    }
  };
}

function answerError(thrown: unknown, ctx: OkapiContext): void {
  if (isClientGone(ctx)) {
    if (!isCausedByLeaving(thrown) && resolveException(thrown, ctx).status === 500) recordUnheard(thrown, ctx);
    return;
  }
  if (ctx.headerSent) {
    recordCut(thrown, ctx);
    ctx.res.destroy();
    return;
  }
  const error = resolveException(thrown, ctx);
  dropHeaders(ctx);
  ctx.respond.error(error);
  recordAnswered(thrown, error, ctx);
}

function dropHeaders({ res }: OkapiContext): void {
  for (const name of res.getHeaderNames()) if (!KEPT.test(name)) res.removeHeader(name);
  res.setHeader('Cache-Control', 'no-store');
}
