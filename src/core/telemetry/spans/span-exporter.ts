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
  #stopped = false;

  constructor(options: Omit<BatchExporterOptions, 'what'>) {
    this.#exporter = new BatchExporter({ ...options, what: 'spans' });
    this.#serverBatch = this.#exporter.queue.open(SERVER_SCOPE);
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & 1) === 0 || this.#stopped) return;
    const { queue } = this.#exporter;
    queue.add(queue.open(span.instrumentationScope), writeReadableSpan, span);
    this.#exporter.schedule();
  }

  onServerSpanEnd(span: ServerSpan): void {
    if (this.#stopped) return;
    this.#exporter.queue.add(this.#serverBatch, writeServerSpan, span);
    this.#exporter.schedule();
  }

  onClientSpanEnd(span: ClientSpan): void {
    if (this.#stopped) return;
    const { queue } = this.#exporter;
    queue.add(queue.open(span.shape.scope), writeClientSpan, span);
    this.#exporter.schedule();
  }

  forceFlush(): Promise<void> {
    return this.#exporter.flush();
  }

  async shutdown(): Promise<void> {
    await this.#exporter.flush();
    this.#stopped = true;
  }
}
