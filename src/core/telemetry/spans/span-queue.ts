import type { InstrumentationScope } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { SERVER_SCOPE } from '../scopes.ts';
import type { ClientSpan } from './client-span.ts';
import { writeClientSpan, writeReadableSpan, writeServerSpan } from './encode-span.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import type { ServerSpan } from './server-span.ts';

/** Ended spans of one instrumentation scope, encoded as elements of `ScopeSpans.spans`. */
export type SpanBatch = { scope: string; scopeVersion: string | undefined; spans: number; bytes: Buffer };

export type SpanQueueOptions = {
  /** Bytes that may wait; beyond, new spans are dropped and counted. */
  maxBytes: number;
  /** Spans that may wait, beside that. */
  maxSpans: number;
  /** Spans in one batch. */
  batchSpans: number;
  /** Called when a batch is full. */
  onBatch: () => void;
};

type OpenBatch = { scope: string; version: string | undefined; writer: ProtobufWriter; spans: number };

const MAX_BATCH_BYTES = 1024 * 1024;

/**
 * Ended spans on their way to the exporter. A span becomes bytes the moment it ends, so nothing of the request outlives
 * it, and memory is bounded in bytes, not by a number of objects of any size.
 */
export class SpanQueue {
  readonly #options: SpanQueueOptions;
  readonly #open = new Map<string, OpenBatch>();
  readonly #serverBatch: OpenBatch;
  readonly #sealed: SpanBatch[] = [];
  #sealedBytes = 0;
  #waiting = 0;
  /** Spans that were dropped because the queue was full, or one was too large to encode. */
  dropped = 0;

  constructor(options: SpanQueueOptions) {
    this.#options = options;
    this.#serverBatch = this.#openBatch(SERVER_SCOPE.name, undefined);
  }

  /** Spans that wait, in batches that are full or not. */
  get waiting(): number {
    return this.#waiting;
  }

  get bytes(): number {
    let bytes = this.#sealedBytes;
    for (const { writer } of this.#open.values()) bytes += writer.position;
    return bytes;
  }

  addServerSpan(span: ServerSpan): void {
    this.#add(this.#serverBatch, writeServerSpan, span);
  }

  addClientSpan(span: ClientSpan): void {
    this.#add(this.#batchOf(span.shape.scope), writeClientSpan, span);
  }

  addReadableSpan(span: ReadableSpan): void {
    this.#add(this.#batchOf(span.instrumentationScope), writeReadableSpan, span);
  }

  /** The batch that waits longest; `undefined` when none is full and `seal` was not called. */
  take(): SpanBatch | undefined {
    const batch = this.#sealed.shift();
    if (batch !== undefined) {
      this.#sealedBytes -= batch.bytes.length;
      this.#waiting -= batch.spans;
    }
    return batch;
  }

  /** Puts a batch back at its place, to be tried again. */
  putBack(batch: SpanBatch): void {
    this.#sealed.unshift(batch);
    this.#sealedBytes += batch.bytes.length;
    this.#waiting += batch.spans;
  }

  /** Makes whatever waits ready to be taken. */
  seal(): void {
    for (const batch of this.#open.values()) this.#seal(batch);
  }

  #add<S>(batch: OpenBatch, write: (writer: ProtobufWriter, span: S) => void, span: S): void {
    const { maxBytes, maxSpans, batchSpans, onBatch } = this.#options;
    const { writer } = batch;
    if (this.#waiting >= maxSpans || this.#sealedBytes + writer.position >= maxBytes) {
      this.dropped++;
      return;
    }
    const before = writer.position;
    try {
      write(writer, span);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      writer.position = before;
      this.dropped++;
      return;
    }
    this.#waiting++;
    batch.spans++;
    if (batch.spans >= batchSpans || writer.position >= MAX_BATCH_BYTES) {
      this.#seal(batch);
      onBatch();
    }
  }

  #seal(batch: OpenBatch): void {
    if (batch.spans === 0) return;
    const { scope, version, writer, spans } = batch;
    const bytes = writer.take();
    this.#sealed.push({ scope, scopeVersion: version, spans, bytes });
    this.#sealedBytes += bytes.length;
    batch.spans = 0;
  }

  #batchOf({ name, version }: InstrumentationScope): OpenBatch {
    return this.#open.get(version === undefined ? name : `${name}@${version}`) ?? this.#openBatch(name, version);
  }

  #openBatch(scope: string, version: string | undefined): OpenBatch {
    const batch = { scope, version, writer: new ProtobufWriter(), spans: 0 };
    this.#open.set(version === undefined ? scope : `${scope}@${version}`, batch);
    return batch;
  }
}
