import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { BatchExporter, type BatchExporterOptions } from '../otlp/batch-exporter.ts';
import type { OpenBatch } from '../otlp/record-queue.ts';
import { SERVER_SCOPE } from '../scopes.ts';
import type { ClientSpan } from './client-span.ts';
import { writeClientSpan, writeReadableSpan, writeServerSpan } from './encode-span.ts';
import type { ServerSpan } from './server-span.ts';

/** Sends spans as OTLP over HTTP in protobuf: ours and those of the SDK, as bytes from the moment they end. */
export class SpanExporter implements SpanProcessor {
  readonly #exporter: BatchExporter;
  readonly #serverBatch: OpenBatch;

  constructor(options: Omit<BatchExporterOptions, 'what'>) {
    this.#exporter = new BatchExporter({ ...options, what: 'spans' });
    this.#serverBatch = this.#exporter.queue.open(SERVER_SCOPE);
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & 1) === 0) return;
    this.#exporter.add(this.#exporter.queue.open(span.instrumentationScope), writeReadableSpan, span);
  }

  onServerSpanEnd(span: ServerSpan): void {
    this.#exporter.add(this.#serverBatch, writeServerSpan, span);
  }

  onClientSpanEnd(span: ClientSpan): void {
    this.#exporter.add(this.#exporter.queue.open(span.shape.scope), writeClientSpan, span);
  }

  forceFlush(): Promise<void> {
    return this.#exporter.flush();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}
