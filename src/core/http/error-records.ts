import { SpanStatusCode } from '@opentelemetry/api';
import type { AppHttpError } from '../errors/app-http-error.ts';
import { exceptionTypeOf } from '../errors/exception-type.ts';
import { describeException } from '../logging/exception.ts';
import { getLogger, redactText } from '../logging/index.ts';
import type { OkapiContext } from './state.ts';

const logger = getLogger('app.http.errors');

/** Where the operator looks for an error that was answered: the metric, the span, and for a 500 the log, in full. */
export function recordAnswered(thrown: unknown, error: AppHttpError, ctx: OkapiContext): void {
  noteError(thrown, ctx);
  ctx.state.span?.setAttribute('okapi.error.code', error.code);
  if (error.status === 500) recordFault(thrown, ctx);
  else if (error.status > 500) markSpan(thrown, ctx);
  else {
    // What a client did wrong is no fault of this service: the span says what it was, and stays without a status.
    ctx.state.span?.addEvent('exception', {
      'exception.type': exceptionTypeOf(thrown),
      'exception.message': redactText(error.message),
    });
  }
}

/** The same for an answer that ends half way; telemetry takes it for a 500, not for a client that has gone. */
export function recordCut(thrown: unknown, ctx: OkapiContext): void {
  ctx.state.isCut = true;
  noteError(thrown, ctx);
  recordFault(thrown, ctx);
}

/** A fault that nobody waited for any more. Its span has ended, and the request is counted as one of a client gone. */
export function recordUnheard(thrown: unknown, ctx: OkapiContext): void {
  logger.exception(`${nameOf(ctx)} failed when its client had gone`, thrown);
}

/** An error that could not even be answered. */
export function recordUnanswerable(error: unknown): void {
  logger.exception('An error could not be answered', error);
}

function recordFault(thrown: unknown, ctx: OkapiContext): void {
  logger.exception(`${nameOf(ctx)} failed`, thrown);
  markSpan(thrown, ctx);
}

/** For the telemetry layer, which counts it; `undefined` there would say that nothing was thrown. */
function noteError(thrown: unknown, ctx: OkapiContext): void {
  ctx.state.error = thrown ?? new Error(`${thrown} was thrown`);
}

function markSpan(thrown: unknown, { state: { span } }: OkapiContext): void {
  if (!span?.isRecording()) return;
  const { type, message, stack, causes } = describeException(thrown);
  const trail = causes.map((cause) => `Caused by: ${cause.stack ?? `${cause.type}: ${cause.message}`}`);
  const whole = [stack, ...trail].filter((part) => part !== undefined).join('\n');
  span.recordException({ name: type, message, ...(whole === '' ? {} : { stack: whole }) });
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function nameOf(ctx: OkapiContext): string {
  return `${ctx.method} ${ctx.state.route?.template ?? 'unmatched'}`;
}
