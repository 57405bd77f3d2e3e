import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { SpanStatusCode } from '@opentelemetry/api';
import { AppHttpError } from '../errors/app-http-error.ts';
import type { AccessEntry } from '../logging/index.ts';
import { constantAttributes } from '../telemetry/spans/request-attributes.ts';
import { endServerSpan, startServerSpan } from '../telemetry/spans/tracing.ts';
import { recordError, recordRequest, UNMATCHED } from './request-metrics.ts';
import { PROBLEM_TYPE, problemBody } from './response.ts';
import { headersOfHelmet } from './security-headers.ts';
import { traceparentOf } from './telemetry.ts';

type ParserError = Error & { code?: string };
type HttpSocket = Duplex & { remoteAddress?: string; _httpMessage?: { _headerSent?: boolean } | null };

/**
 * Answers what Node's HTTP parser refuses before any layer sees it, in the same envelope, with an id, a span and an
 * access line like any other request. Listener for the server's `clientError`.
 */
export function answerClientErrors(writeAccess?: (entry: AccessEntry) => void) {
  const security = headersOfHelmet().map(([name, value]) => `${name}: ${value}\r\n`);
  return function onClientError(error: ParserError, socket: HttpSocket): void {
    // A peer that reset the connection, or whose answer is under way, cannot be told anything any more.
    if (error.code === 'ECONNRESET' || !socket.writable || socket._httpMessage?._headerSent) {
      socket.destroy();
      return;
    }
    const refusal = refusalOf(error);
    const span = startServerSpan('HTTP', { 'http.request.method': '_OTHER', 'url.scheme': 'http' });
    const requestId = randomUUID();
    const parent = traceparentOf(span);
    const body = JSON.stringify(problemBody(refusal, '/', requestId, span.context.traceId));
    const bytes = Buffer.byteLength(body);
    socket.end(
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n` +
        `Content-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${bytes}\r\nConnection: close\r\nCache-Control: no-store\r\n` +
        `X-Request-ID: ${requestId}\r\ntraceresponse: ${parent}\r\nServer-Timing: traceparent;desc="${parent}"\r\n` +
        `${security.join('')}\r\n${body}`,
    );

    const request = { method: '_OTHER', route: undefined, status: refusal.status, httpVersion: '1.1' };
    span.setAttributes({ ...constantAttributes(request), 'okapi.request_id': requestId });
    if (refusal.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    endServerSpan(span);
    const durationMs = span.endMs - span.startMs;
    recordRequest(request, durationMs / 1000);
    recordError(undefined, refusal);
    writeAccess?.({
      ...NOTHING_SPENT,
      requestId,
      traceId: span.context.traceId,
      spanId: span.context.spanId,
      traceFlags: span.context.traceFlags,
      method: '_OTHER',
      route: UNMATCHED,
      status: refusal.status,
      durationMs,
      bytes,
      ip: socket.remoteAddress ?? '',
    });
  };
}

const NOTHING_SPENT = {
  userId: undefined,
  userAgent: undefined,
  postgresStatements: 0,
  postgresMs: 0,
  mongoCommands: 0,
  mongoMs: 0,
  poolWaitMs: 0,
  hashQueueMs: 0,
} as const;

function refusalOf({ code }: ParserError): AppHttpError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new AppHttpError(431, 'The request line and headers may have at most 16 KiB together', {
        title: 'Request Header Fields Too Large',
        code: 'request.headers_too_large',
      });
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new AppHttpError(413, 'The chunk extensions are too large', { title: 'Payload Too Large' });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new AppHttpError(408, 'The request did not arrive in time', {
        title: 'Request Timeout',
        code: 'request.timeout',
      });
    default:
      return new AppHttpError(400, 'This is not a well-formed HTTP/1.1 request', {
        title: 'Bad Request',
        code: 'request.malformed',
      });
  }
}
