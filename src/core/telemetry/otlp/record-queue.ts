import type { Account } from '../ledger.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** Records of one instrumentation scope, encoded as elements of `ScopeSpans.spans` or `ScopeLogs.log_records`. */
export type Batch = {
  readonly scope: Scope;
  readonly count: number;
  readonly bytes: Buffer;
  /** What `bytes` is a part of, where nothing else is in it. */
  readonly memory: Buffer | undefined;
  wasSent: boolean;
};

export type Scope = { readonly name: string; readonly version?: string | undefined };

/** A batch that is being filled; one for each scope, asked for once. */
export type OpenBatch = { readonly scope: Scope; readonly writer: ProtobufWriter; count: number };

export type RecordQueueOptions = {
  account: Account;
  /** Bytes that may be held, those on their way included; beyond, new records are dropped and counted. */
  maxBytes: number;
  /** Records that may wait, beside that. */
  maxRecords: number;
  /** Records in one batch. */
  batchRecords: number;
  /** Called when a batch is full. */
  onBatch: () => void;
};

const MAX_BATCH_BYTES = 1024 * 1024;
/** Buffers that have been sent and are kept for batches to come. */
const MAX_SPARE = 4;

/**
 * Spans or log records on their way to the exporter. Each becomes bytes the moment it is added, so nothing of the request
 * outlives it, and memory is bounded in bytes, not by a number of objects of any size.
 */
export class RecordQueue {
  readonly #options: RecordQueueOptions;
  readonly #account: Account;
  readonly #open = new Map<string, OpenBatch>();
  readonly #sealed: Batch[] = [];
  readonly #spare: Buffer[] = [];
  #bytes = 0;
  #waiting = 0;

  constructor(options: RecordQueueOptions) {
    this.#options = options;
    this.#account = options.account;
  }

  /** Records that wait, in batches that are full or not. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Bytes that are held, those taken and not settled included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The batch that records of this scope go into. */
  open(scope: Scope): OpenBatch {
    const key = scope.version === undefined ? scope.name : `${scope.name}@${scope.version}`;
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const batch: OpenBatch = { scope, writer: new ProtobufWriter(), count: 0 };
    this.#open.set(key, batch);
    return batch;
  }

  /** Adds a record to a batch in the form that `write` gives it, or drops it and counts why. */
  add<R>(batch: OpenBatch, write: (writer: ProtobufWriter, record: R) => void, record: R): void {
    const { maxBytes, maxRecords, batchRecords, onBatch } = this.#options;
    this.#account.ended++;
    if (this.#waiting >= maxRecords || this.#bytes >= maxBytes) {
      this.#account.dropped.queue_full++;
      return;
    }
    const { writer } = batch;
    const before = writer.position;
    try {
      write(writer, record);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      writer.position = before;
      this.#account.dropped.too_large++;
      return;
    }
    this.#bytes += writer.position - before;
    this.#waiting++;
    batch.count++;
    if (batch.count >= batchRecords || writer.position >= MAX_BATCH_BYTES) {
      this.#seal(batch);
      onBatch();
    }
  }

  /** The batch that waits longest, to be settled or put back; `undefined` when none is full and `seal` was not called. */
  take(): Batch | undefined {
    const batch = this.#sealed.shift();
    if (batch !== undefined) this.#waiting -= batch.count;
    return batch;
  }

  /** Gives up the room of a batch that was taken; its memory too, if nobody reads it any more. */
  settle(batch: Batch, isReusable: boolean): void {
    this.#bytes -= batch.bytes.length;
    const { memory } = batch;
    if (isReusable && memory !== undefined && this.#spare.length < MAX_SPARE) this.#spare.push(memory);
  }

  /** Puts a batch that was taken back at its place, to be tried again. */
  putBack(batch: Batch): void {
    this.#sealed.unshift(batch);
    this.#waiting += batch.count;
  }

  /** Makes whatever waits ready to be taken. */
  seal(): void {
    for (const batch of this.#open.values()) this.#seal(batch);
  }

  #seal(batch: OpenBatch): void {
    if (batch.count === 0) return;
    const { scope, writer, count } = batch;
    this.#sealed.push({ scope, count, ...this.#contentOf(writer), wasSent: false });
    batch.count = 0;
  }

  /**
   * What was written. Little is copied, unless a spare buffer is there to go on with, so that what waits never holds much
   * more memory than it counts.
   */
  #contentOf(writer: ProtobufWriter): Pick<Batch, 'bytes' | 'memory'> {
    if (writer.position < writer.buffer.length / 2 && this.#spare.length === 0)
      return { bytes: writer.take(), memory: undefined };
    const memory = writer.buffer;
    return { bytes: writer.handOver(this.#spare.pop()), memory };
  }
}
