import { type Context, context, propagation, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Settings } from '../config/index.ts';
import { Carrier, contextWith } from '../context.ts';
import type { AccessEntry } from '../logging/index.ts';
import type { ServerSpan } from '../telemetry/spans/server-span.ts';
import { endServerSpan, startServerSpan } from '../telemetry/spans/tracing.ts';
import { clientAddress, type ProxyTrust } from './client-address.ts';
import { isQuietPath } from './quiet-paths.ts';
import { knownMethod, recordError, recordRequest, UNMATCHED } from './request-metrics.ts';
import { ResponseFactory } from './response.ts';
import type { Middleware, OkapiContext } from './state.ts';

export type TelemetryOptions = Pick<Settings, 'traceContext' | 'traceUserId'> & {
  proxyTrust: ProxyTrust;
  /** Writes the access line; absent when `ACCESS_LOG` is off. */
  writeAccess?: (entry: AccessEntry) => void;
};

const CLIENT_CLOSED_REQUEST = 499;

/**
 * The outermost layer: one server span, one measurement and one access line a request, whatever happens inside.
 * It makes the carrier and the context in which everything else runs.
 */
export function telemetry(options: TelemetryOptions): Middleware {
  return function telemetry(ctx, next) {
    const { req, res, state } = ctx;
    const carrier = new Carrier();
    const peer = req.socket.remoteAddress;
    state.carrier = carrier;
    state.input = { body: undefined, query: undefined, params: undefined };
    state.clientAddress = clientAddress(peer, joined(req.headers['x-forwarded-for']), options.proxyTrust);
    Object.defineProperty(ctx, 'respond', { value: new ResponseFactory(ctx), writable: true, configurable: true });
    const startedAt = performance.now();
    const path = ctx.path;
    if (isQuietPath(path)) {
      res.once('close', () => finishQuiet(ctx, startedAt, options));
      return context.with(contextWith(carrier), next);
    }

    const trusted =
      options.traceContext === 'always' || (options.traceContext === 'trusted' && isTrustedPeer(ctx, options));
    const remote = propagation.extract(ROOT_CONTEXT, req.headers);
    const method = knownMethod(req.method);
    const span = startServerSpan(
      method === '_OTHER' ? 'HTTP' : method,
      { 'http.request.method': method, 'url.path': path, 'url.scheme': 'http' },
      trusted ? remote : ROOT_CONTEXT,
      trusted ? undefined : trace.getSpanContext(remote),
    );
    state.span = span;
    const parent = traceparentOf(span);
    res.setHeader('traceresponse', parent);
    res.setHeader('Server-Timing', `traceparent;desc="${parent}"`);
    res.once('close', () => finish(ctx, span, method, startedAt, options));
    const base: Context = trusted ? remote : ROOT_CONTEXT;
    return context.with(contextWith(carrier, span, base), next);
  };
}

/** W3C Trace Context §3.2: version, trace id, span id, flags. */
export function traceparentOf(span: ServerSpan): string {
  const { traceId, spanId, traceFlags } = span.context;
  return `00-${traceId}-${spanId}-0${traceFlags & 1}`;
}

function isTrustedPeer(ctx: OkapiContext, { proxyTrust }: TelemetryOptions): boolean {
  return proxyTrust.isTrusted(clientAddress(ctx.req.socket.remoteAddress, undefined, proxyTrust), 0);
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}

function finish(
  ctx: OkapiContext,
  span: ServerSpan,
  method: string,
  startedAt: number,
  options: TelemetryOptions,
): void {
  const { state, req, res } = ctx;
  const status = res.writableFinished ? res.statusCode : CLIENT_CLOSED_REQUEST;
  const durationMs = performance.now() - startedAt;
  const endpoint = state.route?.template ?? UNMATCHED;
  const sampled = (span.context.traceFlags & 1) === 1;
  recordRequest(method, endpoint, status, durationMs / 1000, req.httpVersion, sampled ? span.context : undefined);
  if (state.error !== undefined && status !== CLIENT_CLOSED_REQUEST) recordError(endpoint, state.error);
  if (span.isRecording()) describe(span, ctx, method, status, options);
  endServerSpan(span);
  options.writeAccess?.(accessEntry(ctx, method, endpoint, status, durationMs));
}

function finishQuiet(ctx: OkapiContext, startedAt: number, options: TelemetryOptions): void {
  const status = ctx.res.writableFinished ? ctx.res.statusCode : CLIENT_CLOSED_REQUEST;
  const endpoint = ctx.state.route?.template ?? UNMATCHED;
  const entry = accessEntry(ctx, knownMethod(ctx.req.method), endpoint, status, performance.now() - startedAt);
  options.writeAccess?.({ ...entry, debug: true });
}

/** The stable HTTP semantic conventions, and what the request spent. */
function describe(
  span: ServerSpan,
  ctx: OkapiContext,
  method: string,
  status: number,
  { traceUserId }: TelemetryOptions,
): void {
  const { carrier, clientAddress, requestId, route } = ctx.state;
  const { attributes } = span;
  if (route !== undefined) {
    span.name = `${method === '_OTHER' ? 'HTTP' : method} ${route.template}`;
    attributes['http.route'] = route.template;
  }
  attributes['http.response.status_code'] = status;
  attributes['network.protocol.version'] = ctx.req.httpVersion;
  attributes['client.address'] = clientAddress;
  attributes['okapi.request_id'] = requestId;
  const userAgent = ctx.state.deviceInfo?.user_agent;
  if (userAgent !== undefined) attributes['user_agent.original'] = userAgent;
  if (method === '_OTHER') attributes['http.request.method_original'] = (ctx.req.method ?? '').slice(0, 32);
  if (traceUserId && carrier.userId !== undefined) attributes['enduser.id'] = carrier.userId;
  if (status >= 500) {
    attributes['error.type'] = String(status);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  if (carrier.postgresStatements > 0) {
    attributes['okapi.postgres.statements'] = carrier.postgresStatements;
    attributes['okapi.postgres.ms'] = carrier.postgresMs;
    attributes['okapi.postgres.pool_wait_ms'] = carrier.poolWaitMs;
  }
  if (carrier.mongoCommands > 0) {
    attributes['okapi.mongo.commands'] = carrier.mongoCommands;
    attributes['okapi.mongo.ms'] = carrier.mongoMs;
  }
  if (carrier.hashQueueMs > 0) attributes['okapi.hash_queue_ms'] = carrier.hashQueueMs;
}

function accessEntry(
  ctx: OkapiContext,
  method: string,
  route: string,
  status: number,
  durationMs: number,
): AccessEntry {
  const { carrier, span, deviceInfo, clientAddress } = ctx.state;
  return {
    requestId: carrier.requestId,
    userId: carrier.userId,
    traceId: span?.context.traceId,
    spanId: span?.context.spanId,
    traceFlags: span?.context.traceFlags ?? 0,
    method,
    route,
    status,
    durationMs,
    bytes: bytesOf(ctx),
    userAgent: deviceInfo?.user_agent,
    ip: clientAddress,
    postgresStatements: carrier.postgresStatements,
    postgresMs: carrier.postgresMs,
    mongoCommands: carrier.mongoCommands,
    mongoMs: carrier.mongoMs,
    poolWaitMs: carrier.poolWaitMs,
    hashQueueMs: carrier.hashQueueMs,
  };
}

function bytesOf({ res }: OkapiContext): number {
  const length = res.getHeader('content-length');
  return length === undefined ? 0 : Number(length);
}
