import { createRequire, syncBuiltinESMExports } from 'node:module';
import { HttpInstrumentation, type HttpInstrumentationConfig } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { cut, HIDDEN, redactText } from '../logging/redaction.ts';

const MAX_URL = 2_048;

/**
 * What traces calls to other servers, by `fetch` and by `node:http`: a span under the one that calls, a measurement, and
 * the trace context in the headers. A call outside of any trace begins none. Requests that come in are the telemetry
 * layer's, which costs less.
 */
export function outgoingHttpInstrumentations() {
  return [
    new HttpInstrumentation({
      disableIncomingRequestInstrumentation: true,
      requireParentforOutgoingSpans: true,
      requestHook,
    }),
    fetchInstrumentation(),
  ];
}

/**
 * Has the instrumentation wrap what is imported as an ES module too: it hears of `require` alone, and Node keeps the named
 * exports of its own modules apart. To be called once it is registered.
 */
export function wrapNodeHttp(): void {
  const require = createRequire(import.meta.url);
  for (const name of ['node:http', 'node:https']) require(name);
  syncBuiltinESMExports();
}

/** That of `fetch`, which hears of every request over diagnostics channels and wraps nothing. */
export function fetchInstrumentation(): UndiciInstrumentation {
  return new UndiciInstrumentation({
    requireParentforSpans: true,
    startSpanHook({ origin, path }) {
      const [shownPath = '', query] = split(shownTarget(path));
      return {
        'url.full': `${origin}${shownTarget(path)}`,
        'url.path': shownPath,
        'url.query': query === undefined ? '' : `?${query}`,
      };
    },
  });
}

const requestHook: NonNullable<HttpInstrumentationConfig['requestHook']> = (span, request) => {
  if (!('getHeader' in request)) return;
  span.setAttribute('url.full', `${request.protocol}//${request.getHeader('host')}${shownTarget(request.path)}`);
};

/**
 * Path and query as a span may show them: of the query the names alone, since its values are what was asked and may be
 * keys or addresses; in the path, what looks like a secret is hidden.
 */
export function shownTarget(target: string): string {
  const [path = '', query] = split(target);
  const shown = redactText(path, MAX_URL);
  return query === undefined ? shown : `${shown}?${cut(query.split('&').map(shownPair).join('&'), MAX_URL)}`;
}

function shownPair(pair: string): string {
  const [name = '', value] = pair.split('=', 2);
  if (value === undefined) return redactText(name);
  return `${redactText(name)}=${value === '' ? '' : HIDDEN}`;
}

function split(target: string): [string, string?] {
  const mark = target.indexOf('?');
  return mark < 0 ? [target] : [target.slice(0, mark), target.slice(mark + 1)];
}
