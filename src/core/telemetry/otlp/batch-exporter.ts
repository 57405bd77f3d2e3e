import { context, diag, ROOT_CONTEXT } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { Account } from '../ledger.ts';
import { writeAttributes } from './encode-attributes.ts';
import { encodeHead } from './encode-request.ts';
import type { Outcome, Post } from './post.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import { type Batch, type OpenBatch, RecordQueue, type RecordQueueOptions } from './record-queue.ts';

export type BatchExporterOptions = Omit<RecordQueueOptions, 'onBatch'> & {
  resource: Resource;
  post: Post;
  /** In the plural, for messages. */
  what: string;
  scheduledDelayMs: number;
};

const MAX_IN_FLIGHT = 4;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** A receiver that asks for more patience is asked again all the same. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;
/** Waits differ by a fifth, so that the instances of a service do not all come back at once. */
const JITTER = 0.2;

/**
 * Sends the batches of a queue. One that could not be sent waits for the receiver to come back, within the bound of the
 * queue: after a failure one batch at a time is tried, later each time, and not before a `Retry-After` has passed.
 */
export class BatchExporter {
  readonly queue: RecordQueue;
  readonly #options: BatchExporterOptions;
  readonly #account: Account;
  readonly #encodedResource: Buffer;
  readonly #waiters: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending = 0;
  #sendingRecords = 0;
  /** How often in a row sending failed; what was under way together fails together, and counts once. */
  #failures = 0;
  readonly #pauses = new Set<NodeJS.Timeout>();
  #isDraining = false;
  #isStopped = false;

  constructor(options: BatchExporterOptions) {
    this.#options = options;
    this.#account = options.account;
    this.queue = new RecordQueue({ ...options, onBatch: () => this.#pump() });
    this.#account.keep(() => ({ queued: this.queue.waiting, sending: this.#sendingRecords }));
    const writer = new ProtobufWriter(2048);
    const message = writer.begin(1);
    writeAttributes(writer, 1, options.resource.attributes);
    writer.end(message);
    this.#encodedResource = writer.take();
  }

  /** Whether nothing is taken any more. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Takes a record in the form that `write` gives it, and sees to it that it is sent within the delay. */
  add<R>(batch: OpenBatch, write: (writer: ProtobufWriter, record: R) => void, record: R): void {
    if (this.#isStopped) return;
    this.queue.add(batch, write, record);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.queue.seal();
      this.#pump();
    }, this.#options.scheduledDelayMs);
    this.#timer.unref();
  }

  /** Resolves once everything that waits was sent or refused for good. Does not wait for the time of a retry. */
  async flush(): Promise<void> {
    this.#isDraining = true;
    for (const pause of this.#pauses) clearTimeout(pause);
    this.#pauses.clear();
    this.#pump();
    if (this.#isEmpty) return;
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Sends what waits; what comes afterwards is not taken. */
  async shutdown(): Promise<void> {
    await this.flush();
    this.#isStopped = true;
  }

  get #isEmpty(): boolean {
    return this.#sending === 0 && this.queue.waiting === 0;
  }

  #pump(): void {
    if (this.#isDraining) this.queue.seal();
    if (this.#pauses.size > 0) return;
    while (this.#sending < (this.#failures > 0 ? 1 : MAX_IN_FLIGHT)) {
      const batch = this.queue.take();
      if (batch === undefined) break;
      void this.#send(batch);
    }
    if (!this.#isEmpty) return;
    this.#isDraining = false;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  async #send(batch: Batch): Promise<void> {
    const account = this.#account;
    const failures = this.#failures;
    const wasUnacknowledged = batch.wasSent;
    this.#sending++;
    this.#sendingRecords += batch.count;
    if (!wasUnacknowledged) account.unacknowledged += batch.count;
    const head = encodeHead(this.#encodedResource, batch);
    const outcome = await context.with(suppressTracing(ROOT_CONTEXT), () => this.#options.post(head, batch.bytes));
    this.#sending--;
    this.#sendingRecords -= batch.count;
    batch.wasSent = wasUnacknowledged || (outcome.kind === 'unanswered' && outcome.wasSent);
    if (!batch.wasSent || outcome.kind === 'accepted') account.unacknowledged -= batch.count;
    if (outcome.kind === 'accepted' || outcome.kind === 'refused') this.#settled(batch, outcome);
    else this.#failed(batch, failures, outcome);
    this.#pump();
  }

  #settled(batch: Batch, outcome: Outcome & { kind: 'accepted' | 'refused' }): void {
    const rejected = outcome.kind === 'refused' ? batch.count : Math.min(outcome.rejected, batch.count);
    this.queue.settle(batch, outcome.kind === 'accepted' && outcome.isSent);
    this.#account.exported += batch.count - rejected;
    this.#account.dropped.rejected += rejected;
    this.#failures = 0;
    if (rejected === 0) return;
    const status = outcome.kind === 'refused' ? ` with ${outcome.status}` : '';
    diag.warn(`Telemetry: the collector refused ${rejected} ${this.#options.what}${status}`);
  }

  #failed(batch: Batch, failuresBefore: number, outcome: Outcome & { kind: 'later' | 'unanswered' }): void {
    this.queue.putBack(batch);
    this.#failures = Math.max(this.#failures, failuresBefore + 1);
    const backoffMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    const askedMs = outcome.kind === 'later' ? Math.min(outcome.retryAfterMs, MAX_RETRY_AFTER_MS) : 0;
    this.#pause(Math.max(backoffMs * (1 - JITTER + 2 * JITTER * Math.random()), askedMs));
    const error = outcome.kind === 'later' ? `status ${outcome.status}` : outcome.reason;
    diag.warn(`Telemetry: ${this.#options.what} could not be exported; they are kept and sent again`, { error });
  }

  /** Sends nothing for so long; of several pauses the one that ends last counts. */
  #pause(ms: number): void {
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      this.#pump();
    }, ms);
    pause.unref();
    this.#pauses.add(pause);
  }
}
