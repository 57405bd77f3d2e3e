import { STATUS_CODES } from 'node:http';

/** One problem with what a client sent. `field` is a JSON pointer (RFC 6901) such as `/body/email`. */
export type FieldProblem = { field: string; message: string; rule: string; allowed?: unknown };

export type AppHttpErrorOptions = {
  /** Stable machine word that clients switch on, such as `auth.invalid_credentials`. */
  code?: string;
  /** Short summary of the kind of problem; the same for every occurrence. */
  title?: string;
  errors?: readonly FieldProblem[] | Readonly<Record<string, unknown>>;
  /** Merged into `meta`; never over `timestamp`, `success`, `request_id` and `trace_id`. */
  metaExtensions?: Readonly<Record<string, unknown>>;
  /** Headers of the answer, such as `Retry-After`. */
  headers?: Readonly<Record<string, string>>;
  cause?: unknown;
};

/**
 * An error that a client is meant to see, in the shape of RFC 9457 §3. Services throw the named ones below; the status
 * stands here and nowhere else.
 */
export class AppHttpError extends Error {
  override name = 'AppHttpError';
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string | undefined;
  readonly errors: AppHttpErrorOptions['errors'];
  readonly metaExtensions: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;

  /** `status` is 400 to 599; throws `RangeError` otherwise, since anything else is not an error. */
  constructor(status: number, detail?: string, options: AppHttpErrorOptions = {}) {
    super(detail ?? STATUS_CODES[status] ?? 'Application Error', { cause: options.cause });
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`An error answer has a status from 400 to 599, not ${status}`);
    }
    this.status = status;
    this.detail = detail;
    this.code = options.code ?? defaultCode(status);
    this.title = options.title ?? 'Application Error';
    this.errors = options.errors;
    this.metaExtensions = options.metaExtensions;
    this.headers = options.headers;
  }
}

/** `http.not_found` for 404: what an error is called when nobody gave it a better name. */
export function defaultCode(status: number): string {
  const phrase = STATUS_CODES[status] ?? 'error';
  return `http.${phrase.toLowerCase().replace(/[^a-z]+/g, '_')}`;
}

type NamedOptions = AppHttpErrorOptions;

export class BadRequestError extends AppHttpError {
  override name = 'BadRequestError';
  constructor(detail?: string, options: NamedOptions = {}) {
    super(400, detail, { title: 'Bad Request', ...options });
  }
}

/** 401. Carries `WWW-Authenticate: Bearer` (RFC 6750 §3). */
export class UnauthorizedError extends AppHttpError {
  override name = 'UnauthorizedError';
  constructor(detail?: string, options: NamedOptions = {}) {
    super(401, detail, {
      title: 'Unauthorized',
      ...options,
      headers: { 'WWW-Authenticate': 'Bearer', ...options.headers },
    });
  }
}

export class ForbiddenError extends AppHttpError {
  override name = 'ForbiddenError';
  constructor(detail?: string, options: NamedOptions = {}) {
    super(403, detail, { title: 'Forbidden', ...options });
  }
}

export class NotFoundError extends AppHttpError {
  override name = 'NotFoundError';
  constructor(detail?: string, options: NamedOptions = {}) {
    super(404, detail, { title: 'Not Found', ...options });
  }
}

export class MethodNotAllowedError extends AppHttpError {
  override name = 'MethodNotAllowedError';
  constructor(detail?: string, options: NamedOptions = {}) {
    super(405, detail, { title: 'Method Not Allowed', ...options });
  }
}

export class ConflictError extends AppHttpError {
  override name = 'ConflictError';
  constructor(detail?: string, options: NamedOptions = {}) {
    super(409, detail, { title: 'Conflict', ...options });
  }
}

export class PayloadTooLargeError extends AppHttpError {
  override name = 'PayloadTooLargeError';
  constructor(detail?: string, options: NamedOptions = {}) {
    super(413, detail, { title: 'Payload Too Large', ...options });
  }
}

export class UnsupportedMediaTypeError extends AppHttpError {
  override name = 'UnsupportedMediaTypeError';
  constructor(detail?: string, options: NamedOptions = {}) {
    super(415, detail, { title: 'Unsupported Media Type', ...options });
  }
}

/** 422: every problem of a request at once. */
export class ValidationError extends AppHttpError {
  override name = 'ValidationError';
  constructor(errors: readonly FieldProblem[], options: NamedOptions = {}) {
    const detail = errors.length === 1 ? '1 problem with the request' : `${errors.length} problems with the request`;
    super(422, detail, { title: 'Validation Failed', code: 'validation.failed', ...options, errors });
  }
}

/** 429 (RFC 6585 §4). `retryAfterSeconds` becomes `Retry-After`. */
export class TooManyRequestsError extends AppHttpError {
  override name = 'TooManyRequestsError';
  constructor(detail?: string, options: NamedOptions & { retryAfterSeconds?: number } = {}) {
    super(429, detail, {
      title: 'Too Many Requests',
      code: 'rate_limit.exceeded',
      ...options,
      headers: { 'Retry-After': String(options.retryAfterSeconds ?? 1), ...options.headers },
    });
  }
}

/** 503. `retryAfterSeconds` becomes `Retry-After` (RFC 9110 §10.2.3). */
export class ServiceUnavailableError extends AppHttpError {
  override name = 'ServiceUnavailableError';
  constructor(detail?: string, options: NamedOptions & { retryAfterSeconds?: number } = {}) {
    super(503, detail, {
      title: 'Service Unavailable',
      ...options,
      headers: { 'Retry-After': String(options.retryAfterSeconds ?? 1), ...options.headers },
    });
  }
}
