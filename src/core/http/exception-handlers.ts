import { STATUS_CODES } from 'node:http';
import type Koa from 'koa';
import { AppHttpError, ValidationError } from '../errors/app-http-error.ts';
import type { OkapiContext } from './state.ts';

/** Turns what was thrown into the error to answer, or leaves it to the next handler. */
export type ExceptionHandler = (thrown: unknown, ctx: OkapiContext) => AppHttpError | undefined;

const registered = new WeakMap<object, readonly ExceptionHandler[]>();

/** Sets the three handlers of this application, asked in this order: HTTP errors, validation, everything else. */
export function registerExceptionHandlers(app: Koa): void {
  registered.set(app, [handleHttpError, handleValidationError, handleEverythingElse]);
}

/** The error that answers `thrown`. Throws when the application has no handlers, which is a mistake in its set-up. */
export function resolveException(thrown: unknown, ctx: OkapiContext): AppHttpError {
  for (const handler of registered.get(ctx.app) ?? []) {
    const error = ask(handler, thrown, ctx);
    if (error !== undefined) return error;
  }
  throw new Error('registerExceptionHandlers(app) was not called');
}

/** What was thrown may throw again when it is looked at; then it is left to the last handler, which does not look. */
function ask(handler: ExceptionHandler, thrown: unknown, ctx: OkapiContext): AppHttpError | undefined {
  try {
    return handler(thrown, ctx);
  } catch {
    return undefined;
  }
}

/** An `AppHttpError` as it is; an error of any copy of http-errors that is meant to be seen (`expose`) by its status. */
export function handleHttpError(thrown: unknown): AppHttpError | undefined {
  if (thrown instanceof AppHttpError && !(thrown instanceof ValidationError)) return thrown;
  if (!(thrown instanceof Error)) return undefined;
  const { expose, headers, statusCode, status = statusCode } = thrown as Error & Partial<Record<string, unknown>>;
  if (expose !== true || typeof status !== 'number' || !Number.isInteger(status) || status < 400 || status > 599) {
    return undefined;
  }
  const title = STATUS_CODES[status];
  return new AppHttpError(status, thrown.message, {
    cause: thrown,
    ...(title === undefined ? {} : { title }),
    ...(isHeaders(headers) ? { headers: asText(headers) } : {}),
  });
}

/** Every problem of a request at once, as 422. */
export function handleValidationError(thrown: unknown): AppHttpError | undefined {
  return thrown instanceof ValidationError ? thrown : undefined;
}

/** A 500 that says nothing of what happened; the log and the span say it. */
export function handleEverythingElse(thrown: unknown): AppHttpError {
  return new AppHttpError(500, undefined, { title: 'Internal Server Error', code: 'internal.error', cause: thrown });
}

function isHeaders(value: unknown): value is Record<string, string | number> {
  const isText = (entry: unknown) => typeof entry === 'string' || typeof entry === 'number';
  return typeof value === 'object' && value !== null && Object.values(value).every(isText);
}

function asText(headers: Record<string, string | number>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
