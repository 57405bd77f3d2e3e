import { type Carrier, currentCarrier } from '../context.ts';
import { ServiceUnavailableError } from '../errors/app-http-error.ts';

export type HttpClientOptions = {
  /** The server that is asked, and the path below which: `https://mail.example.org/v1/`. */
  baseUrl: string;
  /** How long an answer may take, its body included; less where the request that asks has less time left. */
  timeoutMs: number;
  /** Sent with every request, such as `Authorization`. */
  headers?: Readonly<Record<string, string>>;
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
 * A client for one other server. Throws `TypeError` for a `baseUrl` that is none. Its requests carry `X-Request-ID` and the
 * time that is left (`X-Request-Timeout-Ms`), and end with the deadline of the request in which they are made. Span,
 * measurement and `traceparent` are those of every `fetch`; baggage goes to the hosts of `TRACE_BAGGAGE_HOSTS`.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const base = new URL(options.baseUrl.replace(/\/?$/, '/'));
  if (base.username !== '' || base.password !== '' || base.search !== '' || base.hash !== '') {
    throw new TypeError('baseUrl is scheme, host and path: credentials are sent in headers');
  }

  return {
    async request(path, { method = 'GET', headers, json, signal } = {}) {
      const url = new URL(path.replace(/^\/+/, ''), base);
      if (!url.href.startsWith(base.href)) throw new TypeError(`${path} does not lie below ${base.href}`);
      const carrier = currentCarrier();
      if (carrier?.aborted !== undefined) throw carrier.aborted;
      const sent = new Headers(json === undefined ? {} : { 'Content-Type': 'application/json' });
      for (const given of [options.headers, headers, headersOf(carrier, options.timeoutMs)]) {
        for (const [name, value] of Object.entries(given ?? {})) sent.set(name, value);
      }
      // The deadline aborts by its own signal; a timer for the same moment might come first, and with another error.
      const signals = [timeout(options.timeoutMs), carrier?.signal, signal].filter((each) => each !== undefined);
      try {
        return await fetch(url, {
          method,
          headers: sent,
          redirect: 'manual',
          signal: AbortSignal.any(signals),
          ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        });
      } catch (error) {
        throw carrier?.aborted ?? (signal?.aborted ? signal.reason : unavailable(error));
      }
    },
  };
}

function headersOf(carrier: Carrier | undefined, timeoutMs: number): Record<string, string> {
  const leftMs = Math.ceil(Math.min(timeoutMs, timeLeftMs(carrier)));
  const headers: Record<string, string> = { [TIMEOUT_HEADER]: String(leftMs) };
  if (carrier?.requestId !== undefined) headers['X-Request-ID'] = carrier.requestId;
  return headers;
}

/** `Infinity` outside of a request. At least 1, since it is a timer's time. */
function timeLeftMs(carrier: Carrier | undefined): number {
  return carrier?.expiresAt === undefined
    ? Number.POSITIVE_INFINITY
    : Math.max(1, carrier.expiresAt - performance.now());
}

/** `AbortSignal.timeout` has the number 23 for an error code, which telemetry would show as the type of the error. */
function timeout(ms: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => {
    controller.abort(Object.assign(new Error(`No answer within ${ms} ms`), { name: 'TimeoutError' }));
  }, ms).unref();
  return controller.signal;
}

function unavailable(cause: unknown): ServiceUnavailableError {
  return new ServiceUnavailableError('A server that this one needs cannot be reached at this moment', {
    code: 'upstream.unavailable',
    cause,
  });
}
