import { exceptionTypeOf } from '../errors/exception-type.ts';
import type { CounterChild, HistogramChild, SpanReference } from '../telemetry/metrics/children.ts';
import { requestDurations } from '../telemetry/metrics/durations.ts';
import { errorCount, requestCount, requestLatency } from '../telemetry/metrics/metrics.ts';
import { ByRequestKind, type RequestKind } from '../telemetry/request-kinds.ts';
import { constantAttributes } from '../telemetry/spans/request-attributes.ts';

/** The endpoint of what no route took. */
export const UNMATCHED = 'unmatched';

/** The method names of RFC 9110 and RFC 5789; any other is `_OTHER`, so that no client can add a label value. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

/** `_OTHER` for methods that the standard does not know. */
export function knownMethod(method: string | undefined): string {
  return method !== undefined && METHODS.has(method) ? method : '_OTHER';
}

type Bound = { count: CounterChild; latency: HistogramChild; duration: HistogramChild };

const bound = new ByRequestKind<Bound>();

/**
 * Counts one finished request, by instruments that are looked up once for each method, route, status and version.
 * `seconds` is how long it took; `span` is given when it was sampled.
 */
export function recordRequest(request: RequestKind, seconds: number, span?: SpanReference): void {
  const { count, latency, duration } = bound.get(request) ?? bind(request);
  count.inc();
  const timestampMs = span === undefined ? undefined : Date.now();
  latency.observe(seconds, span, timestampMs);
  duration.observe(seconds, span, timestampMs);
}

function bind(request: RequestKind): Bound {
  const { method, route: endpoint = UNMATCHED, status } = request;
  const children = {
    count: requestCount.labels({ method, endpoint, status: String(status) }),
    latency: requestLatency.labels({ method, endpoint }),
    duration: requestDurations.bind(constantAttributes(request)),
  };
  bound.set(request, children);
  return children;
}

/** Counts one request that ended in a thrown error, by the class of what was thrown. */
export function recordError(route: string | undefined, thrown: unknown): void {
  errorCount.labels({ endpoint: route ?? UNMATCHED, exception_type: exceptionTypeOf(thrown) }).inc();
}
