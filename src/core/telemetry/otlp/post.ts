import { once } from 'node:events';
import type { Agent, IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';

/** What came of sending a batch once. */
export type Outcome =
  /** Taken, but for `rejected` of its records (`partial_success`). `isSent` unless it was answered before it was all sent. */
  | { kind: 'accepted'; rejected: number; isSent: boolean }
  /** Not taken, and it never will be. */
  | { kind: 'refused'; status: number }
  /** Not taken now. */
  | { kind: 'later'; status: number; retryAfterMs: number }
  /** No answer, or half of one. The receiver may have it if `wasSent`. */
  | { kind: 'unanswered'; reason: string; wasSent: boolean };

/** Sends the body of one OTLP request, given in two parts. Never rejects. */
export type Post = (head: Uint8Array, records: Uint8Array) => Promise<Outcome>;

const compress = promisify(gzip);
/** OTLP 1.x, "Retryable Response Codes"; anything else that is no success must not be sent again. */
const RETRYABLE = new Set([429, 502, 503, 504]);
const USER_AGENT = 'Okapi-OTLP-Exporter';
const MAX_ANSWER_BYTES = 64 * 1024;
const NOTHING = new Uint8Array();

/**
 * Sends OTLP over HTTP in protobuf to where the standard variables say (`OTEL_EXPORTER_OTLP_*`, those of the signal
 * first): endpoint, headers, TLS, timeout and compression as the SDK reads them.
 */
export function createPost(signal: 'TRACES' | 'LOGS'): Post {
  const path = `v1/${signal.toLowerCase()}`;
  const settings = convertLegacyHttpOptions({}, signal, path, { 'Content-Type': 'application/x-protobuf' });
  const { timeoutMillis } = settings;
  const url = new URL(settings.url);
  // Taken before outgoing requests are instrumented: what that hangs on each of these, to make no span, outlives two
  // scavenges and stays for long.
  const { request } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
  let agent: Promise<Agent> | undefined;

  return async function post(head, records) {
    let wasSent = false;
    let timer: NodeJS.Timeout | undefined;
    try {
      agent ??= Promise.resolve(settings.agentFactory(url.protocol)) as Promise<Agent>;
      const isCompressed = settings.compression === 'gzip';
      const [first, rest] = isCompressed ? [NOTHING, await compress(Buffer.concat([head, records]))] : [head, records];
      const headers: Record<string, string | number> = {
        'User-Agent': USER_AGENT,
        ...(await settings.headers()),
        'Content-Length': first.length + rest.length,
        ...(isCompressed ? { 'Content-Encoding': 'gzip' } : {}),
      };
      const sent = request(url, { method: 'POST', headers, agent: await agent });
      timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMillis} ms`)), timeoutMillis);
      timer.unref();
      sent.once('socket', (socket) => {
        wasSent = !socket.connecting;
        // On a connection that is kept, a listener would never be called, and stay.
        if (wasSent) return;
        socket.once('connect', () => {
          wasSent = true;
        });
      });
      // One that comes while the answer is read ends the reading as well.
      sent.on('error', () => undefined);
      const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
      sent.cork();
      sent.write(first);
      sent.end(rest);
      const [answer] = await answered;
      const body = await bodyOf(answer);
      return outcomeOf(answer.statusCode ?? 0, answer.headers['retry-after'], body, sent.writableFinished);
    } catch (error) {
      return { kind: 'unanswered', reason: reasonOf(error), wasSent };
    } finally {
      clearTimeout(timer);
    }
  };
}

function outcomeOf(status: number, retryAfter: string | undefined, body: Buffer, isSent: boolean): Outcome {
  if (status >= 200 && status < 300) return { kind: 'accepted', rejected: rejectedIn(body), isSent };
  if (RETRYABLE.has(status)) return { kind: 'later', status, retryAfterMs: retryAfterMs(retryAfter) };
  return { kind: 'refused', status };
}

function bodyOf(answer: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
      else answer.destroy(new Error(`The answer is longer than ${MAX_ANSWER_BYTES} bytes`));
    });
    answer.once('end', () => resolve(Buffer.concat(chunks)));
    answer.once('error', reject);
    answer.once('close', () => reject(new Error('The answer did not arrive whole')));
  });
}

/** `Retry-After` of RFC 9110 §10.2.3, seconds or a date, as milliseconds from now; 0 where there is none. */
export function retryAfterMs(value: string | undefined, now = Date.now()): number {
  if (value === undefined) return 0;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.max(ms, 0) : 0;
}

/** How many records a success says were rejected after all; the response of logs has it in the same field as spans'. */
function rejectedIn(body: Buffer): number {
  try {
    return body.length === 0
      ? 0
      : (ProtobufTraceSerializer.deserializeResponse(body).partialSuccess?.rejectedSpans ?? 0);
  } catch {
    // The status says that it was taken; some receivers add words of their own.
    return 0;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = (error.cause as Error | undefined)?.message;
  return (error as NodeJS.ErrnoException).code ?? (cause || error.message);
}
