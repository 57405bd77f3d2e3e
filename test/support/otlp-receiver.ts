import { once } from 'node:events';
import http, { type IncomingHttpHeaders } from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
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
  /** Since the epoch. */
  timeMs: number;
  severityText: string;
  traceId: string;
  spanId: string;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
};
export type ReceivedPoint = {
  attributes: Record<string, unknown>;
  /** Of a counter or gauge; of a histogram the number of its values. */
  value: number;
  sum?: number;
  bounds?: number[];
  counts?: number[];
};
export type ReceivedMetric = {
  name: string;
  unit: string;
  kind: 'gauge' | 'sum' | 'histogram';
  isCumulative: boolean;
  points: ReceivedPoint[];
  scope: string;
  resource: Record<string, unknown>;
};

export type OtlpReceiver = {
  readonly url: string;
  /** Where the same is taken by gRPC. */
  readonly grpcUrl: string;
  readonly spans: ReceivedSpan[];
  readonly logs: ReceivedLog[];
  readonly metrics: ReceivedMetric[];
  /** The same, export by export, each with the headers that it came with. */
  readonly metricExports: { metrics: ReceivedMetric[]; headers: IncomingHttpHeaders }[];
  /** What the next requests over HTTP are answered with. */
  answerWith(status: number, headers?: Record<string, string>): void;
  close(): Promise<void>;
};

/** An OTLP receiver, over HTTP and gRPC, that decodes the protobuf it gets. Listens on loopback. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const root = await protobuf.load(join(import.meta.dirname, 'otlp.proto'));
  const spans: ReceivedSpan[] = [];
  const logs: ReceivedLog[] = [];
  const metricExports: OtlpReceiver['metricExports'] = [];
  let status = 200;
  let headers: Record<string, string> = {};

  const takeMetrics = (message: Message, headers: IncomingHttpHeaders) =>
    void metricExports.push({ metrics: [...metricsIn(message)], headers });
  const takers: Record<string, [string, (message: Message, headers: IncomingHttpHeaders) => void]> = {
    '/v1/traces': ['TraceRequest', (message) => spans.push(...spansIn(message))],
    '/v1/logs': ['LogsRequest', (message) => logs.push(...logsIn(message))],
    '/v1/metrics': ['MetricsRequest', takeMetrics],
  };
  const server = http.createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const body = req.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
    const [type, take] = takers[req.url ?? ''] ?? [];
    if (status === 200 && type !== undefined) take?.(decode(root.lookupType(type), body), req.headers);
    res.writeHead(type === undefined ? 404 : status, { 'Content-Type': 'application/x-protobuf', ...headers }).end();
  });
  const overGrpc = http2.createServer().on('stream', async (stream: http2.ServerHttp2Stream, requestHeaders) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const path = GRPC_PATHS[requestHeaders[':path'] ?? ''];
    const [type, take] = takers[path ?? ''] ?? [];
    if (type !== undefined) take?.(decode(root.lookupType(type), grpcMessage(Buffer.concat(chunks))), requestHeaders);
    // An empty message, and the status behind it in the trailers (gRPC over HTTP/2, "Responses").
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': type === undefined ? '12' : '0' }));
    stream.end(Buffer.alloc(5));
  });
  server.listen(0, '127.0.0.1');
  overGrpc.listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(overGrpc, 'listening')]);
  const urlOf = (listening: Server) => `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  return {
    url: urlOf(server),
    grpcUrl: urlOf(overGrpc),
    spans,
    logs,
    get metrics() {
      return metricExports.flatMap(({ metrics }) => metrics);
    },
    metricExports,
    answerWith(next, nextHeaders = {}) {
      status = next;
      headers = nextHeaders;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      overGrpc.close();
      await Promise.all([once(server, 'close'), once(overGrpc, 'close')]);
    },
  };
}

const GRPC_PATHS: Readonly<Record<string, string>> = {
  '/opentelemetry.proto.collector.trace.v1.TraceService/Export': '/v1/traces',
  '/opentelemetry.proto.collector.logs.v1.LogsService/Export': '/v1/logs',
  '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export': '/v1/metrics',
};

/** The one message of a unary call: a byte that says whether it is compressed and four of its length stand before it. */
function grpcMessage(frame: Buffer): Buffer {
  const message = frame.subarray(5, 5 + frame.readUInt32BE(1));
  return frame[0] === 1 ? gunzipSync(message) : message;
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
          timeMs: Math.round(Number(record.timeUnixNano) / 1e6),
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

const CUMULATIVE = 2;

function* metricsIn(message: Message): Generator<ReceivedMetric> {
  for (const { resource, scopeMetrics } of message.resourceMetrics) {
    for (const { scope, metrics } of scopeMetrics) {
      for (const { name, unit, gauge, sum, histogram } of metrics) {
        const data = gauge ?? sum ?? histogram;
        yield {
          name,
          unit,
          kind: gauge ? 'gauge' : sum ? 'sum' : 'histogram',
          isCumulative: data.aggregationTemporality === CUMULATIVE,
          points: data.dataPoints.map(pointIn),
          scope: scope?.name ?? '',
          resource: attributesOf(resource?.attributes),
        };
      }
    }
  }
}

function pointIn(point: Message): ReceivedPoint {
  const attributes = attributesOf(point.attributes);
  if (point.bucketCounts === undefined) return { attributes, value: Number(point.asDouble ?? point.asInt) };
  const { count, sum, explicitBounds, bucketCounts } = point;
  return { attributes, value: Number(count), sum, bounds: explicitBounds, counts: bucketCounts.map(Number) };
}
