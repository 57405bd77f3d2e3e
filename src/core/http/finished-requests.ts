import { SpanStatusCode } from '@opentelemetry/api';
import type { AccessEntry } from '../logging/index.ts';
import type { RequestFacts } from '../telemetry/spans/server-span.ts';
import { endServerSpan } from '../telemetry/spans/tracing.ts';
import { recordError, recordRequest, UNMATCHED } from './request-metrics.ts';
import type { OkapiContext } from './state.ts';

export type FinishedOptions = {
  /** Whether spans carry the id of the user. */
  traceUserId: boolean;
  /** Writes the access line; absent when `ACCESS_LOG` is off. */
  writeAccess?: (entry: AccessEntry) => void;
};

const CLIENT_CLOSED_REQUEST = 499;
const MAX_PATH = 1024;
const ERROR = { code: SpanStatusCode.ERROR };

/** Records a request whose answer is sent, or whose client has gone: metrics, span and access line. */
export function recordFinished(ctx: OkapiContext, { traceUserId, writeAccess }: FinishedOptions): void {
  const { state, res } = ctx;
  const endedAt = performance.now();
  const status = res.writableFinished ? res.statusCode : state.isCut ? 500 : CLIENT_CLOSED_REQUEST;
  measure(ctx, status, endedAt, traceUserId);
  if (state.span !== undefined) endServerSpan(state.span);
  writeAccess?.(accessEntry(ctx, status, endedAt));
}

/** Counts the request, and puts on its span what became of it. Those of health and metrics have none. */
function measure({ req, state }: OkapiContext, status: number, endedAt: number, withUserId: boolean): void {
  const { span, method, path, carrier, route, deviceInfo, clientAddress, error, isShed, startedAt } = state;
  if (span === undefined) return;
  const facts: RequestFacts = {
    method,
    originalMethod: method === '_OTHER' ? req.method?.slice(0, 32) : undefined,
    path: path.length > MAX_PATH ? path.slice(0, MAX_PATH) : path,
    route: route?.template,
    status,
    httpVersion: req.httpVersion,
    clientAddress,
    userAgent: deviceInfo?.user_agent,
    carrier,
    withUserId,
  };
  const isSampled = (span.context.traceFlags & 1) === 1;
  recordRequest(facts, (endedAt - startedAt) / 1000, isSampled ? span.context : undefined);
  if (error !== undefined && !isShed && status !== CLIENT_CLOSED_REQUEST) recordError(route?.template, error);
  if (!span.isRecording()) return;
  span.facts = facts;
  if (status >= 500) span.setStatus(ERROR);
  span.endAt(endedAt);
}

function accessEntry({ res, state }: OkapiContext, status: number, endedAt: number): AccessEntry {
  const { carrier, span, method, deviceInfo, route, clientAddress, isShed } = state;
  const { spent } = carrier;
  const length = res.getHeader('content-length');
  return {
    requestId: carrier.requestId,
    userId: carrier.userId,
    traceId: span?.context.traceId,
    spanId: span?.context.spanId,
    traceFlags: span?.context.traceFlags ?? 0,
    method,
    route: route?.template ?? UNMATCHED,
    status,
    durationMs: endedAt - state.startedAt,
    bytes: length === undefined ? 0 : Number(length),
    userAgent: deviceInfo?.user_agent,
    ip: clientAddress,
    postgresStatements: spent.postgresStatements,
    postgresMs: spent.postgresMs,
    mongoCommands: spent.mongoCommands,
    mongoMs: spent.mongoMs,
    poolWaitMs: spent.poolWaitMs,
    hashQueueMs: spent.hashQueueMs,
    debug: span === undefined,
    shed: isShed,
  };
}
