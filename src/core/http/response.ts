import type { AppHttpError } from '../errors/app-http-error.ts';
import type { OkapiContext } from './state.ts';

export type SuccessOptions = {
  /** 200 to 299; 204 has no body. */
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

/** Writes the one envelope that every answer of the API comes in. One is made per request: `ctx.respond`. */
export class ResponseFactory {
  readonly #ctx: OkapiContext;

  constructor(ctx: OkapiContext) {
    this.#ctx = ctx;
  }

  /** Answers `{ data, meta }`. */
  success(data: unknown, { status = 200, headers, metaExtensions }: SuccessOptions = {}): void {
    const ctx = this.#ctx;
    ctx.status = status;
    if (headers !== undefined) ctx.set(headers);
    if (status === 204) return;
    ctx.body = { data, meta: { ...metaExtensions, ...this.#meta(true) } };
  }

  /** Answers the problem body of `error`; its headers are set too. */
  error(error: AppHttpError): void {
    const ctx = this.#ctx;
    const { requestId, span } = ctx.state;
    ctx.status = error.status;
    if (error.headers !== undefined) ctx.set(error.headers);
    ctx.body = JSON.stringify(problemBody(error, ctx.path, requestId, span?.context.traceId));
    ctx.set('Content-Type', PROBLEM_TYPE);
  }

  #meta(success: boolean): Meta {
    const { requestId, span } = this.#ctx.state;
    return metaOf(success, requestId, span?.context.traceId);
  }
}

/** The response factory of a request; `ctx.respond` is the same one. */
export function getResponseFactory(ctx: OkapiContext): ResponseFactory {
  return ctx.respond;
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
