import {
  context,
  metrics,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { type Carrier, currentCarrier } from '../context.ts';
import { ServiceUnavailableError } from '../errors/app-http-error.ts';
import { LATENCY_BUCKETS } from '../telemetry/metrics/buckets.ts';

export type HttpClientOptions = {
  /** The server that is asked, and the path below which: `https://mail.example.org/v1/`. */
  baseUrl: string;
  /** How long an answer may take, its body included; less where the request that asks has less time left. */
  timeoutMs: number;
  /** Sent with every request, such as `Authorization`. */
  headers?: Readonly<Record<string, string>>;
  /** For tests; the tracer of the process unless given. */
  tracer?: Tracer;
};

export type HttpClientRequest = {
  /** GET unless given. */
  method?: string;
  headers?: Readonly<Record<string, string>>;
  /** A value that is sent as JSON. */
  json?: unknown;
  /** Calls the request off, such as the signal of a background task. */
  signal?: AbortSignal;
};

export type HttpClient = {
  /**
   * Asks for `path`, which is relative to `baseUrl` and may have a query. Resolves to the answer whatever its status,
   * redirects included; its body has to be read or cancelled. Rejects with 503 (`upstream.unavailable`) when the server cannot be
   * reached or takes too long, with the deadline's own error when that has passed. Throws `TypeError` for a path that
   * leads elsewhere.
   */
  request(path: string, options?: HttpClientRequest): Promise<Response>;
};

/** Milliseconds within which an answer is of use: what is left of the deadline of the request that asks. */
const TIMEOUT_HEADER = 'X-Request-Timeout-Ms';

/**
 * A client for one other server. Throws `TypeError` for a `baseUrl` that is none. Its requests carry `traceparent`, `X-Request-ID` and the time that is left
 * (`X-Request-Timeout-Ms`); they have a span and a measurement (`http.client.request.duration`), and end with the deadline
 * of the request in which they are made. Baggage is not handed on.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const base = new URL(options.baseUrl.replace(/\/?$/, '/'));
  if (base.username !== '' || base.password !== '' || base.search !== '' || base.hash !== '') {
    throw new TypeError('baseUrl is scheme, host and path: credentials are sent in headers');
  }
  const { tracer = trace.getTracer('okapi.http.client') } = options;
  const server = { 'server.address': base.hostname, 'server.port': portOf(base) };
  const duration = metrics.getMeter('okapi.http.client').createHistogram('http.client.request.duration', {
    description: 'Duration of HTTP client requests.',
    unit: 's',
    advice: { explicitBucketBoundaries: [...LATENCY_BUCKETS] },
  });

  return {
    async request(path, { method = 'GET', headers, json, signal } = {}) {
      const url = new URL(path.replace(/^\/+/, ''), base);
      if (!url.href.startsWith(base.href)) throw new TypeError(`${path} does not lie below ${base.href}`);
      const carrier = currentCarrier();
      if (carrier?.aborted !== undefined) throw carrier.aborted;
      const leftMs = Math.ceil(Math.min(options.timeoutMs, timeLeftMs(carrier)));
      const attributes = { ...server, 'http.request.method': method };
      const span = startSpan(tracer, method, { ...attributes, 'url.full': `${url.origin}${url.pathname}` });
      const sent = new Headers(json === undefined ? {} : { 'Content-Type': 'application/json' });
      for (const given of [options.headers, headers, headersOf(carrier, span, leftMs)]) {
        for (const [name, value] of Object.entries(given ?? {})) sent.set(name, value);
      }
      // The deadline aborts by its own signal; a timer for the same moment might come first, and with another error.
      const signals = [AbortSignal.timeout(options.timeoutMs), carrier?.signal, signal].filter(
        (each) => each !== undefined,
      );
      const startedAt = performance.now();
      let outcome: Record<string, string | number> = {};
      try {
        const response = await fetch(url, {
          method,
          headers: sent,
          redirect: 'manual',
          signal: AbortSignal.any(signals),
          ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        });
        outcome = outcomeOf(response.status);
        return response;
      } catch (error) {
        outcome = { 'error.type': errorTypeOf(error) };
        throw carrier?.aborted ?? (signal?.aborted ? signal.reason : unavailable(error));
      } finally {
        duration.record((performance.now() - startedAt) / 1000, { ...attributes, ...outcome });
        endSpan(span, outcome);
      }
    },
  };
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** `Infinity` outside of a request. At least 1, since it is a timer's time. */
function timeLeftMs(carrier: Carrier | undefined): number {
  return carrier?.expiresAt === undefined
    ? Number.POSITIVE_INFINITY
    : Math.max(1, carrier.expiresAt - performance.now());
}

/** As for the stores: what happens outside of any trace begins none. */
function startSpan(tracer: Tracer, name: string, attributes: Record<string, string | number>): Span | undefined {
  if (trace.getActiveSpan() === undefined) return undefined;
  return tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes });
}

function headersOf(carrier: Carrier | undefined, span: Span | undefined, leftMs: number): Record<string, string> {
  const headers: Record<string, string> = { [TIMEOUT_HEADER]: String(leftMs) };
  if (carrier?.requestId !== undefined) headers['X-Request-ID'] = carrier.requestId;
  // Who is asked need not know what callers of this service have put into their baggage.
  if (span !== undefined) propagation.inject(propagation.deleteBaggage(trace.setSpan(context.active(), span)), headers);
  return headers;
}

function outcomeOf(status: number): Record<string, string | number> {
  return { 'http.response.status_code': status, ...(status >= 400 ? { 'error.type': String(status) } : {}) };
}

function endSpan(span: Span | undefined, outcome: Record<string, string | number>): void {
  span?.setAttributes(outcome);
  if ('error.type' in outcome) span?.setStatus({ code: SpanStatusCode.ERROR });
  span?.end();
}

/** `fetch` hides the reason in the cause: `ECONNREFUSED` behind a `TypeError`. */
function errorTypeOf(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: unknown }; name?: unknown };
  return typeof cause?.code === 'string' ? cause.code : typeof name === 'string' ? name : 'Error';
}

function unavailable(cause: unknown): ServiceUnavailableError {
  return new ServiceUnavailableError('A server that this one needs cannot be reached at this moment', {
    code: 'upstream.unavailable',
    cause,
  });
}
