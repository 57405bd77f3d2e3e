import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { type Context, context, propagation, ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api';
import type { Settings } from '../config/index.ts';
import { Carrier, contextWith } from '../context.ts';
import type { ServerSpan } from '../telemetry/spans/server-span.ts';
import { startServerSpan } from '../telemetry/spans/tracing.ts';
import { clientAddress, type ProxyTrust } from './client-address.ts';
import { CompactResponse } from './compact-response.ts';
import { type FinishedOptions, recordFinished } from './finished-requests.ts';
import { isQuietPath } from './quiet-paths.ts';
import { knownMethod } from './request-metrics.ts';
import { pathOfTarget } from './request-target.ts';
import { ResponseFactory } from './response.ts';
import { type Middleware, type OkapiContext, OkapiState } from './state.ts';

export type TelemetryOptions = FinishedOptions & Pick<Settings, 'traceContext'> & { proxyTrust: ProxyTrust };

/** Where a response keeps the context of its request, so that one listener serves all. */
const CONTEXT = Symbol('okapi.context');

type AnsweringResponse = ServerResponse & { [CONTEXT]?: OkapiContext };

/**
 * The outermost layer: one server span, one measurement and one access line a request, whatever happens inside.
 * It makes the carrier and the context in which everything else runs.
 */
export function telemetry(options: TelemetryOptions): Middleware {
  function onClose(this: AnsweringResponse): void {
    const ctx = this[CONTEXT];
    if (ctx === undefined) return;
    recordFinished(ctx, options);
    if (this instanceof CompactResponse) this.releaseHead();
  }

  return function telemetry(ctx, next) {
    const { req, res } = ctx;
    const startedAt = performance.now();
    const carrier = new Carrier();
    const path = pathOfTarget(req.url ?? '/');
    const method = knownMethod(req.method);
    const isQuiet = isQuietPath(path);
    const { remote, linked } = isQuiet ? NOBODY : callerOf(ctx, options);
    const span = isQuiet ? undefined : startSpan(method, path, startedAt, remote, linked);
    const address = clientAddress(req.socket.remoteAddress, joined(req.headers['x-forwarded-for']), options.proxyTrust);
    ctx.state = new OkapiState(startedAt, method, path, carrier, span, address);
    (ctx as { respond: ResponseFactory }).respond = new ResponseFactory(ctx);
    if (span !== undefined) announceTrace(res, span);
    (res as AnsweringResponse)[CONTEXT] = ctx;
    res.on('close', onClose);
    return context.with(contextWith(carrier, span, remote), next);
  };
}

/** Tells the client of the trace, and whether it is sampled. */
export function announceTrace(res: ServerResponse, span: ServerSpan): void {
  const parent = traceparentOf(span);
  res.setHeader('traceresponse', parent);
  res.setHeader('Server-Timing', `traceparent;desc="${parent}"`);
}

/** W3C Trace Context §3.2: version, trace id, span id, flags. */
export function traceparentOf(span: ServerSpan): string {
  const { traceId, spanId, traceFlags } = span.context;
  return `00-${traceId}-${spanId}-0${traceFlags & 1}`;
}

/** What is carried on of the caller's context, and the span that the new one is linked to where nothing is. */
type Caller = { remote: Context; linked: SpanContext | undefined };

const NOBODY: Caller = { remote: ROOT_CONTEXT, linked: undefined };

/** Trace and baggage of a caller who is believed; of any other, the span that it named. */
function callerOf(ctx: OkapiContext, options: TelemetryOptions): Caller {
  const { headers } = ctx.req;
  if (!isPropagated(headers)) return NOBODY;
  const remote = propagation.extract(ROOT_CONTEXT, headers);
  return isTrusted(ctx, options)
    ? { remote, linked: undefined }
    : { remote: ROOT_CONTEXT, linked: trace.getSpanContext(remote) };
}

function startSpan(
  method: string,
  path: string,
  startedAt: number,
  remote: Context,
  linked: SpanContext | undefined,
): ServerSpan {
  const name = method === '_OTHER' ? 'HTTP' : method;
  const attributes = { 'http.request.method': method, 'url.path': path, 'url.scheme': 'http' };
  return startServerSpan(name, attributes, startedAt, remote, linked);
}

let fields: string[] | undefined;

/** Whether the caller sent any of the headers that the configured propagators read; those are asked for once. */
function isPropagated(headers: IncomingHttpHeaders): boolean {
  fields ??= propagation.fields().map((field) => field.toLowerCase());
  for (const field of fields) if (headers[field] !== undefined) return true;
  return false;
}

function isTrusted({ req }: OkapiContext, { traceContext, proxyTrust }: TelemetryOptions): boolean {
  if (traceContext !== 'trusted') return traceContext === 'always';
  return proxyTrust.isTrusted(clientAddress(req.socket.remoteAddress, undefined, proxyTrust), 0);
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}
