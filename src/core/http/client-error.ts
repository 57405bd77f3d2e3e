import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { SpanStatusCode } from '@opentelemetry/api';
import { NOTHING_SPENT } from '../context.ts';
import { AppHttpError } from '../errors/app-http-error.ts';
import type { AccessEntry } from '../logging/index.ts';
import { constantAttributes, spanName } from '../telemetry/spans/request-attributes.ts';
import { endServerSpan, startServerSpan } from '../telemetry/spans/tracing.ts';
import { REFUSED_BODY } from './body.ts';
import { recordError, recordRequest, UNMATCHED } from './request-metrics.ts';
import { refusalOfTunnel } from './request-target.ts';
import { PROBLEM_TYPE, problemBody } from './response.ts';
import { headersOfHelmet } from './security-headers.ts';
import { traceparentOf } from './telemetry.ts';

type ParserError = Error & { code?: string };
type HttpSocket = Duplex & { remoteAddress?: string; _httpMessage?: ServerResponse | null };

type WriteAccess = (entry: AccessEntry) => void;

/** Listener for the server's `clientError`: what Node's HTTP parser refuses before any layer sees it. */
export function answerClientErrors(writeAccess?: WriteAccess) {
  const refuse = createRefusals(writeAccess);
  return function onClientError(error: ParserError, socket: HttpSocket): void {
    if (error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const refusal = refusalOf(error);
    if (!refuseBody(socket, refusal)) refuse('_OTHER', refusal, socket);
  };
}

/** A request whose body is being waited for has its layers already: they are told, and answer. */
function refuseBody(socket: HttpSocket, refusal: AppHttpError): boolean {
  const answer = socket._httpMessage;
  if (!answer || answer.headersSent || answer.req.listenerCount(REFUSED_BODY) === 0) return false;
  answer.shouldKeepAlive = false;
  return answer.req.emit(REFUSED_BODY, refusal);
}

/** Listener for the server's `connect`: a request for a tunnel, which Node hands over without a response object. */
export function answerTunnels(writeAccess?: WriteAccess) {
  const refuse = createRefusals(writeAccess);
  return function onConnect(_req: IncomingMessage, socket: Duplex): void {
    refuse('CONNECT', refusalOfTunnel(), socket as HttpSocket);
  };
}

/** Answers on the bare socket in the same envelope, with an id, a span and an access line like any other request. */
function createRefusals(writeAccess?: WriteAccess) {
  const security = headersOfHelmet().map(([name, value]) => `${name}: ${value}\r\n`);
  return function refuse(method: string, refusal: AppHttpError, socket: HttpSocket): void {
    // A peer whose connection is gone, or whose answer is under way, cannot be told anything any more.
    if (!socket.writable || socket._httpMessage?.headersSent) {
      socket.destroy();
      return;
    }
    const span = startServerSpan(
      spanName({ method, route: undefined }),
      { 'http.request.method': method },
      performance.now(),
    );
    const requestId = randomUUID();
    const parent = traceparentOf(span);
    const body = JSON.stringify(problemBody(refusal, '/', requestId, span.context.traceId));
    const bytes = Buffer.byteLength(body);
    const own = Object.entries(refusal.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n` +
        `Content-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${bytes}\r\nConnection: close\r\nCache-Control: no-store\r\n` +
        `X-Request-ID: ${requestId}\r\ntraceresponse: ${parent}\r\nServer-Timing: traceparent;desc="${parent}"\r\n` +
        `${security.join('')}${own.join('')}\r\n${body}`,
    );

    const request = { method, route: undefined, status: refusal.status, httpVersion: '1.1' };
    span.setAttributes({ ...constantAttributes(request), 'okapi.request_id': requestId });
    if (refusal.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    endServerSpan(span);
    const durationMs = span.endMs - span.startMs;
    recordRequest(request, durationMs / 1000);
    recordError(undefined, refusal);
    writeAccess?.({
      ...NOTHING_SPENT,
      userId: undefined,
      userAgent: undefined,
      requestId,
      traceId: span.context.traceId,
      spanId: span.context.spanId,
      traceFlags: span.context.traceFlags,
      method,
      route: UNMATCHED,
      status: refusal.status,
      durationMs,
      bytes,
      ip: socket.remoteAddress ?? '',
    });
  };
}

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
