import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

export type ReceivedSpan = {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Record<string, unknown>;
  events: { name: string; attributes: Record<string, unknown> }[];
  links: { traceId: string; spanId: string }[];
  status: { code?: number; message?: string };
  resource: Record<string, unknown>;
  scope: string;
};
export type ReceivedLog = {
  body: unknown;
  severityText: string;
  traceId: string;
  spanId: string;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
};
export type ReceivedMetric = { name: string; unit: string; resource: Record<string, unknown> };

export type OtlpReceiver = {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly logs: ReceivedLog[];
  readonly metrics: ReceivedMetric[];
  /** What the next requests are answered with. */
  answerWith(status: number, headers?: Record<string, string>): void;
  close(): Promise<void>;
};

/** An OTLP/HTTP receiver that decodes the protobuf it gets. Listens on loopback. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const root = await protobuf.load(join(import.meta.dirname, 'otlp.proto'));
  const spans: ReceivedSpan[] = [];
  const logs: ReceivedLog[] = [];
  const metrics: ReceivedMetric[] = [];
  let status = 200;
  let headers: Record<string, string> = {};

  const takers: Record<string, [string, (message: Message) => void]> = {
    '/v1/traces': ['TraceRequest', (message) => spans.push(...spansIn(message))],
    '/v1/logs': ['LogsRequest', (message) => logs.push(...logsIn(message))],
    '/v1/metrics': ['MetricsRequest', (message) => metrics.push(...metricsIn(message))],
  };
  const server = http.createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const body = req.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
    const [type, take] = takers[req.url ?? ''] ?? [];
    if (status === 200 && type !== undefined) take?.(decode(root.lookupType(type), body));
    res.writeHead(type === undefined ? 404 : status, { 'Content-Type': 'application/x-protobuf', ...headers }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    logs,
    metrics,
    answerWith(next, nextHeaders = {}) {
      status = next;
      headers = nextHeaders;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: decoded protobuf, in the shape that otlp.proto gives it
type Message = any;

function decode(type: protobuf.Type, body: Uint8Array): Message {
  return type.toObject(type.decode(body), { longs: String, bytes: String, defaults: true });
}

function hex(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}

function attributesOf(list: Message[] = []): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: Message): unknown {
  if (value === null || value === undefined) return undefined;
  const [kind] = Object.keys(value).filter((key) => key === value.value || key.endsWith('Value'));
  if (kind === 'arrayValue') return value.arrayValue.values.map(plainValue);
  if (kind === 'kvlistValue') return attributesOf(value.kvlistValue.values);
  if (kind === 'intValue') return Number(value.intValue);
  return kind === undefined ? undefined : value[kind];
}

function* spansIn(message: Message): Generator<ReceivedSpan> {
  for (const { resource, scopeSpans } of message.resourceSpans) {
    for (const { scope, spans } of scopeSpans) {
      for (const span of spans) {
        yield {
          ...span,
          traceId: hex(span.traceId),
          spanId: hex(span.spanId),
          parentSpanId: hex(span.parentSpanId),
          attributes: attributesOf(span.attributes),
          events: span.events.map((event: Message) => ({
            name: event.name,
            attributes: attributesOf(event.attributes),
          })),
          links: span.links.map((link: Message) => ({ traceId: hex(link.traceId), spanId: hex(link.spanId) })),
          status: span.status ?? {},
          resource: attributesOf(resource?.attributes),
          scope: scope?.name ?? '',
        };
      }
    }
  }
}

function* logsIn(message: Message): Generator<ReceivedLog> {
  for (const { resource, scopeLogs } of message.resourceLogs) {
    for (const { logRecords } of scopeLogs) {
      for (const record of logRecords) {
        yield {
          body: plainValue(record.body),
          severityText: record.severityText,
          traceId: hex(record.traceId),
          spanId: hex(record.spanId),
          attributes: attributesOf(record.attributes),
          resource: attributesOf(resource?.attributes),
        };
      }
    }
  }
}

function* metricsIn(message: Message): Generator<ReceivedMetric> {
  for (const { resource, scopeMetrics } of message.resourceMetrics) {
    for (const { metrics } of scopeMetrics) {
      for (const { name, unit } of metrics) yield { name, unit, resource: attributesOf(resource?.attributes) };
    }
  }
}
