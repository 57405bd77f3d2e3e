import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createUnzip } from 'node:zlib';
import * as bourne from '@hapi/bourne';
import getRawBody from 'raw-body';
import {
  AppHttpError,
  BadRequestError,
  PayloadTooLargeError,
  UnsupportedMediaTypeError,
} from '../errors/app-http-error.ts';
import type { Middleware, OkapiContext } from './state.ts';

const JSON_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
/** The event by which a request learns, with an `AppHttpError`, that the rest of its body is refused or did not come. */
export const REFUSED_BODY = Symbol('okapi.refused-body');

const OBJECT_OR_ARRAY = /^[ \t\n\r]*[{[]/;
const ENCODINGS = new Set(['identity', 'gzip', 'deflate', 'br']);
// What the library that reads JSON says of a field that would reach into the prototype of objects.
const FORBIDDEN_FIELD = /prototype property/;

/**
 * Reads a JSON body of at most `limit` bytes, unpacked, into `ctx.state.input.body`. Throws 400 on what is no JSON in UTF-8
 * (RFC 8259 §8.1) or does not unpack, 413 on what is too large, 415 on another type or encoding. An empty body is `{}`.
 */
export function readJsonBody(limit: number): Middleware {
  return async function readJsonBody(ctx, next) {
    refuseOtherTypes(ctx);
    const refused = Promise.withResolvers<never>();
    ctx.req.once(REFUSED_BODY, refused.reject);
    try {
      ctx.state.input.body = parse(await Promise.race([read(ctx.req, limit), refused.promise]));
    } catch (error) {
      throw asHttpError(error, limit);
    } finally {
      ctx.req.off(REFUSED_BODY, refused.reject);
    }
    await next();
  };
}

function read(req: IncomingMessage, limit: number): Promise<Buffer> {
  const unpacked = unpack(req);
  const length = unpacked === req ? req.headers['content-length'] : undefined;
  return getRawBody(unpacked, { limit, length: length ?? null });
}

function unpack(req: IncomingMessage): Readable {
  const encoding = req.headers['content-encoding'];
  if (encoding === 'gzip' || encoding === 'deflate') return req.pipe(createUnzip());
  return encoding === 'br' ? req.pipe(createBrotliDecompress()) : req;
}

function parse(body: Buffer): unknown {
  if (body.length === 0) return {};
  if (!isUtf8(body)) throw new BadRequestError('The body is not in UTF-8', { code: 'request.malformed_json' });
  const text = body.toString();
  if (!OBJECT_OR_ARRAY.test(text)) throw new SyntaxError('neither an object nor an array');
  return bourne.parse(text);
}

function refuseOtherTypes(ctx: OkapiContext): void {
  const { headers } = ctx.req;
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return;
  if (!JSON_TYPE.test(headers['content-type'] ?? '')) {
    throw new UnsupportedMediaTypeError('Expected Content-Type: application/json, in UTF-8', {
      headers: { Accept: 'application/json' },
    });
  }
  // Names of codings have no case, and x-gzip is gzip (RFC 9110 §8.4.1).
  const encoding = (headers['content-encoding'] ?? 'identity').toLowerCase().replace(/^x-gzip$/, 'gzip');
  if (!ENCODINGS.has(encoding)) {
    throw new UnsupportedMediaTypeError('Expected Content-Encoding: gzip, deflate, br or none', {
      headers: { 'Accept-Encoding': [...ENCODINGS].join(', ') },
    });
  }
  if (headers['content-encoding'] !== undefined) headers['content-encoding'] = encoding;
  // Node takes `gzip, chunked` and hands on the gzip as it is; a proxy in front may have seen another body.
  if ((headers['transfer-encoding'] ?? 'chunked').toLowerCase() !== 'chunked') {
    throw new BadRequestError('Expected Transfer-Encoding: chunked or none', {
      code: 'request.bad_encoding',
      headers: { Connection: 'close' },
    });
  }
}

function asHttpError(error: unknown, limit: number): unknown {
  if (error instanceof AppHttpError || !(error instanceof Error)) return error;
  const { status, type, code } = error as { status?: number; type?: string; code?: string };
  if (type === 'entity.too.large' || status === 413) {
    // The rest of such a body is not worth reading, so the connection ends with the answer.
    return new PayloadTooLargeError(`The body may have at most ${limit} bytes`, {
      cause: error,
      headers: { Connection: 'close' },
    });
  }
  if (code?.startsWith('Z_') || code?.startsWith('ERR__ERROR_FORMAT') || code?.startsWith('ERR_')) {
    return new BadRequestError('The body is not what its Content-Encoding says', {
      code: 'request.bad_encoding',
      cause: error,
    });
  }
  if (error instanceof SyntaxError && FORBIDDEN_FIELD.test(error.message)) {
    return new BadRequestError('No field of the body may be named __proto__', {
      code: 'request.forbidden_field',
      cause: error,
    });
  }
  if (error instanceof SyntaxError) {
    return new BadRequestError('The body is not well-formed JSON: expected an object or an array', {
      code: 'request.malformed_json',
      cause: error,
    });
  }
  if (status === 400) return new BadRequestError('The body did not arrive whole', { cause: error });
  return error;
}
