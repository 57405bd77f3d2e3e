import { type Histogram, metrics } from '@opentelemetry/api';
import { AppHttpError } from '../errors/app-http-error.ts';
import { LATENCY_BUCKETS } from '../telemetry/metrics/buckets.ts';
import type { CounterChild, HistogramChild, SpanReference } from '../telemetry/metrics/children.ts';
import { errorCount, requestCount, requestLatency } from '../telemetry/metrics/metrics.ts';

/** The endpoint of what no route took. */
export const UNMATCHED = 'unmatched';

/** The method names of RFC 9110 and RFC 5789; any other is `_OTHER`, so that no client can add a label value. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

/** `_OTHER` for methods that the standard does not know. */
export function knownMethod(method: string | undefined): string {
  return method !== undefined && METHODS.has(method) ? method : '_OTHER';
}

type Bound = { count: CounterChild; latency: HistogramChild };

const bound = new Map<string, Bound>();
let serverDuration: Histogram | undefined;

/** Counts one finished request. `seconds` is how long it took; `span` is given when it was sampled. */
export function recordRequest(
  method: string,
  endpoint: string,
  status: number,
  seconds: number,
  httpVersion: string,
  span?: SpanReference,
): void {
  const key = `${method} ${endpoint} ${status}`;
  let children = bound.get(key);
  if (children === undefined) {
    children = {
      count: requestCount.labels({ method, endpoint, status: String(status) }),
      latency: requestLatency.labels({ method, endpoint }),
    };
    bound.set(key, children);
  }
  children.count.inc();
  children.latency.observe(seconds, span);
  semanticDuration().record(seconds, {
    'http.request.method': method,
    ...(endpoint === UNMATCHED ? {} : { 'http.route': endpoint }),
    'http.response.status_code': status,
    'network.protocol.version': httpVersion,
    'url.scheme': 'http',
    ...(status >= 500 ? { 'error.type': String(status) } : {}),
  });
}

const EXCEPTION_TYPES = new Set<string>();

/** Declares a class of errors by name, so that `exception_type` may say it; anything else counts as `Error`. */
export function declareExceptionType(name: string): void {
  EXCEPTION_TYPES.add(name);
}

/** Counts one request that ended in a thrown error. */
export function recordError(endpoint: string, thrown: unknown): void {
  const name = thrown instanceof Error ? thrown.name : 'Error';
  const known = thrown instanceof AppHttpError || EXCEPTION_TYPES.has(name) || BUILT_IN.has(name);
  errorCount.labels({ endpoint, exception_type: known ? name : 'Error' }).inc();
}

const BUILT_IN = new Set(['TypeError', 'RangeError', 'SyntaxError', 'ReferenceError', 'AggregateError']);

/** `http.server.request.duration` of the semantic conventions (stable). */
function semanticDuration(): Histogram {
  serverDuration ??= metrics.getMeter('okapi.http').createHistogram('http.server.request.duration', {
    description: 'Duration of HTTP server requests.',
    unit: 's',
    advice: { explicitBucketBoundaries: [...LATENCY_BUCKETS] },
  });
  return serverDuration;
}
