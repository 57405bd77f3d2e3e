import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Settings } from '../config/index.ts';
import { Carrier, contextWith } from '../context.ts';
import type { AccessEntry } from '../logging/index.ts';
import type { RequestFacts, ServerSpan } from '../telemetry/spans/server-span.ts';
import { endServerSpan, startServerSpan } from '../telemetry/spans/tracing.ts';
import { clientAddress, type ProxyTrust } from './client-address.ts';
import { isQuietPath } from './quiet-paths.ts';
import { knownMethod, recordError, recordRequest, UNMATCHED } from './request-metrics.ts';
import { pathOfTarget } from './request-target.ts';
import { ResponseFactory } from './response.ts';
import type { Middleware, OkapiContext } from './state.ts';

export type TelemetryOptions = Pick<Settings, 'traceContext' | 'traceUserId'> & {
  proxyTrust: ProxyTrust;
  /** Writes the access line; absent when `ACCESS_LOG` is off. */
  writeAccess?: (entry: AccessEntry) => void;
};

const CLIENT_CLOSED_REQUEST = 499;
const MAX_PATH = 1024;
const ERROR = { code: SpanStatusCode.ERROR };

/**
 * The outermost layer: one server span, one measurement and one access line a request, whatever happens inside.
 * It makes the carrier and the context in which everything else runs.
 */
export function telemetry(options: TelemetryOptions): Middleware {
  return function telemetry(ctx, next) {
    const { req, res, state } = ctx;
    const startedAt = performance.now();
    const carrier = new Carrier();
    state.carrier = carrier;
    state.clientAddress = clientAddress(
      req.socket.remoteAddress,
      joined(req.headers['x-forwarded-for']),
      options.proxyTrust,
    );
    (ctx as { respond: ResponseFactory }).respond = new ResponseFactory(ctx);
    const path = pathOfTarget(req.url ?? '/');
    state.path = path;
    if (isQuietPath(path)) {
      res.once('close', () => finishQuiet(ctx, startedAt, options));
      return context.with(contextWith(carrier), next);
    }

    const method = knownMethod(req.method);
    const { remote, linked } = callerOf(ctx, options);
    const span = startSpan(method, path, remote, linked);
    state.span = span;
    announceTrace(res, span);
    res.once('close', () => finish(ctx, span, method, path, startedAt, options));
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

function startSpan(method: string, path: string, remote: Context, linked: SpanContext | undefined): ServerSpan {
  const name = method === '_OTHER' ? 'HTTP' : method;
  const attributes = { 'http.request.method': method, 'url.path': path, 'url.scheme': 'http' };
  return startServerSpan(name, attributes, remote, linked);
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

function finish(
  ctx: OkapiContext,
  span: ServerSpan,
  method: string,
  path: string,
  startedAt: number,
  options: TelemetryOptions,
): void {
  const { state, req, res } = ctx;
  const { carrier, route, deviceInfo } = state;
  const status = res.writableFinished ? res.statusCode : state.isCut ? 500 : CLIENT_CLOSED_REQUEST;
  const durationMs = performance.now() - startedAt;
  const facts: RequestFacts = {
    method,
    originalMethod: method === '_OTHER' ? req.method?.slice(0, 32) : undefined,
    path: path.length > MAX_PATH ? path.slice(0, MAX_PATH) : path,
    route: route?.template,
    status,
    httpVersion: req.httpVersion,
    clientAddress: state.clientAddress,
    userAgent: deviceInfo?.user_agent,
    carrier,
    withUserId: options.traceUserId,
  };
  const { context: spanContext } = span;
  recordRequest(facts, durationMs / 1000, (spanContext.traceFlags & 1) === 1 ? spanContext : undefined);
  if (state.error !== undefined && !state.isShed && status !== CLIENT_CLOSED_REQUEST)
    recordError(route?.template, state.error);
  if (span.isRecording()) {
    span.facts = facts;
    if (status >= 500) span.setStatus(ERROR);
  }
  endServerSpan(span);
  options.writeAccess?.(accessEntry(ctx, method, status, durationMs, false));
}

function finishQuiet(ctx: OkapiContext, startedAt: number, options: TelemetryOptions): void {
  const status = ctx.res.writableFinished ? ctx.res.statusCode : CLIENT_CLOSED_REQUEST;
  const method = knownMethod(ctx.req.method);
  options.writeAccess?.(accessEntry(ctx, method, status, performance.now() - startedAt, true));
}

function accessEntry(
  ctx: OkapiContext,
  method: string,
  status: number,
  durationMs: number,
  debug: boolean,
): AccessEntry {
  const { carrier, span, deviceInfo, route, clientAddress } = ctx.state;
  const length = ctx.res.getHeader('content-length');
  return {
    requestId: carrier.requestId,
    userId: carrier.userId,
    traceId: span?.context.traceId,
    spanId: span?.context.spanId,
    traceFlags: span?.context.traceFlags ?? 0,
    method,
    route: route?.template ?? UNMATCHED,
    status,
    durationMs,
    bytes: length === undefined ? 0 : Number(length),
    userAgent: deviceInfo?.user_agent,
    ip: clientAddress,
    postgresStatements: carrier.postgresStatements,
    postgresMs: carrier.postgresMs,
    mongoCommands: carrier.mongoCommands,
    mongoMs: carrier.mongoMs,
    poolWaitMs: carrier.poolWaitMs,
    hashQueueMs: carrier.hashQueueMs,
    debug,
    shed: ctx.state.isShed === true,
  };
}
