import { randomUUID } from 'node:crypto';
import type { Middleware } from './state.ts';

const WELL_FORMED = /^[\x21-\x7e]{1,128}$/;

/** The caller's id when it is 1 to 128 visible ASCII characters, else a UUID v4. */
export function requestIdFor(given: string | string[] | undefined): string {
  return typeof given === 'string' && WELL_FORMED.test(given) ? given : randomUUID();
}

/** Gives every request an id and echoes it on every answer. */
export function requestId(): Middleware {
  return function requestId(ctx, next) {
    const id = requestIdFor(ctx.req.headers['x-request-id']);
    ctx.state.requestId = id;
    ctx.state.carrier.requestId = id;
    ctx.res.setHeader('X-Request-ID', id);
    return next();
  };
}
