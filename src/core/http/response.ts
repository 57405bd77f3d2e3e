import type { ServerResponse } from 'node:http';
import type { AppHttpError } from '../errors/app-http-error.ts';
import { isoTimestamp } from '../logging/timestamp.ts';
import { recordUnanswerable } from './error-records.ts';
import type { OkapiContext } from './state.ts';

export type SuccessOptions = {
  /** 200 unless given; 204 has no body. */
  status?: number;
  headers?: Readonly<Record<string, string>>;
  /** Merged into `meta`; never over `timestamp`, `success`, `request_id` and `trace_id`. */
  metaExtensions?: Readonly<Record<string, unknown>>;
};

/** What every answer says of itself. */
export type Meta = { timestamp: string; success: boolean; request_id?: string; trace_id?: string };

/** The body of an error answer: RFC 9457 §3.1 with `code`, `errors` and `meta` as extension members. */
export type ProblemBody = {
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance: string;
  code: string;
  errors?: unknown;
  meta: Meta & Record<string, unknown>;
};

/** `application/problem+json` (RFC 9457 §3). */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

const JSON_TYPE = 'application/json; charset=utf-8';

/** An answer that is ready to be sent. */
export type Answer = { status: number; type: string; text: string | undefined };

/**
 * Writes the one envelope that every answer of the API comes in. One is made per request: `ctx.respond`. What it makes
 * is text already, so a value that JSON cannot hold fails where it was given.
 */
export class ResponseFactory {
  readonly #ctx: OkapiContext;

  constructor(ctx: OkapiContext) {
    this.#ctx = ctx;
  }

  /** Answers `{ data, meta }`. Throws `TypeError` when JSON cannot hold `data`. */
  success(data: unknown, options: SuccessOptions = {}): void {
    const { status = 200, headers, metaExtensions } = options;
    const { state } = this.#ctx;
    if (headers !== undefined) this.#ctx.set(headers);
    if (status === 204) {
      state.answer = { status, type: JSON_TYPE, text: undefined };
      return;
    }
    const text = `{"data":${JSON.stringify(data) ?? 'null'},"meta":${this.#successMeta(metaExtensions)}}`;
    state.answer = { status, type: JSON_TYPE, text };
  }

  /** Answers the problem body of `error`; its headers are set too. */
  error(error: AppHttpError): void {
    const { requestId, span, path } = this.#ctx.state;
    if (error.headers !== undefined) this.#ctx.set(error.headers);
    const text = JSON.stringify(problemBody(error, path, requestId, span?.context.traceId));
    this.#ctx.state.answer = { status: error.status, type: PROBLEM_TYPE, text };
  }

  /** `meta` as text: `metaOf` for the usual case, where everything in it is known to need no escaping. */
  #successMeta(extensions: SuccessOptions['metaExtensions']): string {
    const { requestId, span } = this.#ctx.state;
    if (extensions !== undefined) {
      return JSON.stringify({ ...extensions, ...metaOf(true, requestId, span?.context.traceId) });
    }
    const head = `{"timestamp":"${isoTimestamp(Date.now())}","success":true,"request_id":${quote(requestId)}`;
    return span === undefined ? `${head}}` : `${head},"trace_id":"${span.context.traceId}"}`;
  }
}

/** The response factory of a request; `ctx.respond` is the same one, of the same type: a route's takes what it declares. */
export function getResponseFactory<R extends Pick<ResponseFactory, 'error'>>(ctx: { readonly respond: R }): R {
  return ctx.respond;
}

/** A request id is visible ASCII, of which JSON escapes two characters. */
function quote(requestId: string): string {
  return /["\\]/.test(requestId) ? JSON.stringify(requestId) : `"${requestId}"`;
}

type Outgoing = { res: ServerResponse; text: string | undefined; encoding: 'latin1' | 'utf8' };

/** Answers to be written at the end of this turn of the event loop. */
let waiting: Outgoing[] = [];

/**
 * Sends an answer. Koa would find out its type, its length and its form again, for every request; here they are known.
 * Text that is all ASCII is written as Latin-1, which needs no encoding.
 *
 * The answers of one turn of the event loop are written together at its end: each write wakes its reader, and a reader
 * that is awake already costs the kernel next to nothing. Nobody waits for it where only one request is under way.
 */
export function sendAnswer(ctx: OkapiContext, { status, type, text }: Answer): void {
  const { res } = ctx;
  // Tells Koa that the answer is taken care of.
  (ctx as { respond: unknown }).respond = false;
  res.statusCode = status;
  let bytes = 0;
  if (text !== undefined) {
    bytes = Buffer.byteLength(text);
    res.setHeader('Content-Type', type);
    res.setHeader('Content-Length', bytes);
  }
  const outgoing: Outgoing = { res, text, encoding: bytes === text?.length ? 'latin1' : 'utf8' };
  // A handler that goes on after its deadline could still change the headers of an answer that waits; and who is shed is
  // told at once: behind a pause, many come in one turn.
  if (ctx.state.isShed || ctx.state.carrier.aborted !== undefined) write(outgoing);
  else if (waiting.push(outgoing) === 1) setImmediate(flush);
  // Who waited long is old by now, and what it still holds is moved about with it until old garbage is collected.
  ctx.state.answer = undefined;
}

function flush(): void {
  const answers = waiting;
  waiting = [];
  for (const answer of answers) {
    // Nobody stands behind this function: what one answer throws would end the process, and with it all others.
    try {
      write(answer);
    } catch (error) {
      recordUnanswerable(error);
      answer.res.destroy();
    }
  }
}

function write({ res, text, encoding }: Outgoing): void {
  if (text === undefined) res.end();
  else res.end(text, encoding);
}

function metaOf(success: boolean, requestId: string | undefined, traceId: string | undefined): Meta {
  return {
    timestamp: new Date().toISOString(),
    success,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...(traceId === undefined ? {} : { trace_id: traceId }),
  };
}

/** The problem body of `error`; `path` is the path of the request, without the query. */
export function problemBody(error: AppHttpError, path: string, requestId?: string, traceId?: string): ProblemBody {
  return {
    type: `https://httpstatuses.io/${error.status}`,
    title: error.title,
    status: error.status,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    instance: path,
    code: error.code,
    ...(error.errors === undefined ? {} : { errors: serializable(error.errors) }),
    meta: { ...(serializable(error.metaExtensions ?? {}) as object), ...metaOf(false, requestId, traceId) },
  };
}

/** A copy that JSON can hold: whatever cannot be serialized becomes text. */
function serializable(value: unknown): unknown {
  try {
    const text = JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'bigint' || typeof inner === 'function' || typeof inner === 'symbol' ? String(inner) : inner,
    );
    return text === undefined ? null : JSON.parse(text);
  } catch {
    return String(Object.prototype.toString.call(value));
  }
}
