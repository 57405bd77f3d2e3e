import { context, createNoopMeter, diag, type MeterProvider, ROOT_CONTEXT } from '@opentelemetry/api';
import { ExportResultCode, suppressTracing } from '@opentelemetry/core';
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { type ISerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { ClientSpan } from './client-span.ts';
import { writeAttributes } from './encode-attributes.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import type { ServerSpan } from './server-span.ts';
import { type SpanBatch, SpanQueue } from './span-queue.ts';

export type SpanExporterOptions = {
  resource: Resource;
  maxBytes: number;
  maxSpans: number;
  batchSpans: number;
  scheduledDelayMs: number;
};

const MAX_IN_FLIGHT = 4;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
// What OTLP/HTTP calls retryable; anything else below 500 will not get better by sending it again.
const RETRYABLE = new Set([408, 429]);

/**
 * Sends spans as OTLP over HTTP in protobuf. The transport, with the standard variables for endpoint, headers, TLS,
 * timeout and compression, is the SDK's; what is sent are the bytes of the queue. A batch that could not be sent waits
 * for the collector to come back, within the bound of the queue.
 */
export class SpanExporter implements SpanProcessor {
  readonly #queue: SpanQueue;
  readonly #delegate;
  readonly #delayMs: number;
  #timer: NodeJS.Timeout | undefined;
  #inFlight = 0;
  #inFlightSpans = 0;
  #retryMs = 0;
  #retryAt = 0;
  #idle: (() => void) | undefined;
  #stopped = false;
  exported = 0;
  rejected = 0;

  constructor(options: SpanExporterOptions) {
    this.#queue = new SpanQueue({ ...options, onBatch: () => this.#pump() });
    this.#delayMs = options.scheduledDelayMs;
    this.#delegate = createOtlpHttpExportDelegate(
      convertLegacyHttpOptions({}, 'TRACES', 'v1/traces', { 'Content-Type': 'application/x-protobuf' }),
      createSerializer(options.resource),
      'otlp_http_span_exporter',
      { name: 'span', countItems: (batch: SpanBatch) => batch.spans },
      NO_METRICS,
    );
  }

  /** How many spans were exported, are on their way, and were lost by which cause. */
  get figures() {
    const { waiting, dropped } = this.#queue;
    const { exported, rejected } = this;
    return { exported, waiting, inFlight: this.#inFlightSpans, droppedQueueFull: dropped, droppedRejected: rejected };
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & 1) === 0 || this.#stopped) return;
    this.#queue.addReadableSpan(span);
    this.#schedule();
  }

  onServerSpanEnd(span: ServerSpan): void {
    if (this.#stopped) return;
    this.#queue.addServerSpan(span);
    this.#schedule();
  }

  onClientSpanEnd(span: ClientSpan): void {
    if (this.#stopped) return;
    this.#queue.addClientSpan(span);
    this.#schedule();
  }

  /** Resolves once everything that waits was sent or refused for good. */
  async forceFlush(): Promise<void> {
    this.#queue.seal();
    this.#retryAt = 0;
    this.#pump();
    if (this.#inFlight === 0 && this.#queue.waiting === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  async shutdown(): Promise<void> {
    await this.forceFlush();
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#delegate.shutdown();
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#queue.seal();
      this.#pump();
    }, this.#delayMs);
    this.#timer.unref();
  }

  #pump(): void {
    if (performance.now() < this.#retryAt) return;
    while (this.#inFlight < MAX_IN_FLIGHT) {
      const batch = this.#queue.take();
      if (batch === undefined) break;
      this.#send(batch);
    }
    if (this.#inFlight === 0 && this.#queue.waiting === 0) {
      this.#idle?.();
      this.#idle = undefined;
    }
  }

  #send(batch: SpanBatch): void {
    this.#inFlight++;
    this.#inFlightSpans += batch.spans;
    context.with(suppressTracing(ROOT_CONTEXT), () => {
      this.#delegate.export(batch, ({ code, error }) => {
        this.#inFlight--;
        this.#inFlightSpans -= batch.spans;
        if (code === ExportResultCode.SUCCESS) {
          this.exported += batch.spans;
          this.#retryMs = 0;
        } else this.#failed(batch, error);
        this.#pump();
      });
    });
  }

  #failed(batch: SpanBatch, error: Error | undefined): void {
    const status = (error as { code?: unknown } | undefined)?.code;
    if (typeof status === 'number' && status >= 400 && status < 500 && !RETRYABLE.has(status)) {
      this.rejected += batch.spans;
      diag.warn(`Telemetry: the collector refused ${batch.spans} spans with ${status}`);
      return;
    }
    this.#queue.putBack(batch);
    this.#retryMs = Math.min(MAX_RETRY_MS, Math.max(FIRST_RETRY_MS, this.#retryMs * 2));
    this.#retryAt = performance.now() + this.#retryMs;
    setTimeout(() => this.#pump(), this.#retryMs + 1).unref();
    diag.warn('Telemetry: spans could not be exported; they are kept and sent again', { error: error?.message });
  }
}

const NO_METRICS: MeterProvider = { getMeter: () => createNoopMeter() };

function createSerializer(resource: Resource): ISerializer<SpanBatch, unknown> {
  const writer = new ProtobufWriter(2048);
  const message = writer.begin(1);
  writeAttributes(writer, 1, resource.attributes);
  writer.end(message);
  const encodedResource = writer.take();
  return {
    serializeRequest: (batch) => encodeRequest(encodedResource, batch),
    deserializeResponse: (data) => ProtobufTraceSerializer.deserializeResponse(data),
  };
}

/** `ExportTraceServiceRequest` (OTLP trace_service.proto) around the spans of one batch. */
function encodeRequest(resource: Buffer, { scope, scopeVersion, bytes }: SpanBatch): Buffer {
  const head = new ProtobufWriter(resource.length + 512);
  const scopeMessage = new ProtobufWriter(512);
  const start = scopeMessage.begin(1);
  scopeMessage.string(1, scope);
  if (scopeVersion !== undefined) scopeMessage.string(2, scopeVersion);
  scopeMessage.end(start);
  const encodedScope = scopeMessage.take();
  const scopeSpansLength = encodedScope.length + bytes.length;
  const resourceSpansLength = resource.length + 1 + varintLength(scopeSpansLength) + scopeSpansLength;
  head.tag(1, 2);
  head.varint(resourceSpansLength);
  head.raw(resource);
  head.tag(2, 2);
  head.varint(scopeSpansLength);
  head.raw(encodedScope);
  return Buffer.concat([head.take(), bytes]);
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length++;
  return length;
}
