import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { context } from '@opentelemetry/api';
import type { OkapiContext } from './state.ts';

/**
 * The answer's body as a stream of Node, when it is a stream of any kind: a web stream, the body of a `Response` and a
 * stream of another copy of the library become one, so that their failures are seen like those of any other.
 *
 * What reads an answer's stream is Koa and, after a pause, the socket, both outside of the request. It is bound to the
 * request's context here, so that what produces the answer logs and traces as a part of it until its end.
 */
export function streamBody(ctx: OkapiContext): Readable | undefined {
  const { body } = ctx;
  const stream = body instanceof Readable ? body : converted(body);
  if (stream === undefined) return undefined;
  const here = context.active();
  stream.read = context.bind(here, stream.read);
  stream.destroy = context.bind(here, stream.destroy);
  if (stream !== body) replaceBody(ctx, stream);
  return stream;
}

function converted(body: unknown): Readable | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  if (body instanceof ReadableStream) return Readable.fromWeb(body as WebStream);
  if (body instanceof Response) return body.body === null ? undefined : Readable.fromWeb(body.body as WebStream);
  return 'pipe' in body ? new Readable().wrap(body as NodeJS.ReadableStream) : undefined;
}

/** Koa takes the length away when another stream follows the first; here it is the same one. */
function replaceBody(ctx: OkapiContext, stream: Readable): void {
  const length = ctx.res.getHeader('Content-Length');
  ctx.body = stream;
  if (length !== undefined) ctx.res.setHeader('Content-Length', length);
}
