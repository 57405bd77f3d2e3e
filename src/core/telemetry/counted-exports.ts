import { type Context, TraceFlags } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPExporterError } from '@opentelemetry/otlp-exporter-base';
import type { LogRecordProcessor } from '@opentelemetry/sdk-logs';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Account } from './ledger.ts';

type Exporter<I> = { export(items: I, done: (result: ExportResult) => void): void };

/** Enters into the account what becomes of the exports of an exporter of the SDK. Returns how many are under way. */
function countExports<I>(exporter: Exporter<I>, account: Account, begin: (items: I) => number): () => number {
  const send = exporter.export.bind(exporter);
  let sending = 0;
  exporter.export = (items, done) => {
    const count = begin(items);
    sending += count;
    account.unacknowledged += count;
    send(items, (result) => {
      const isTaken = result.code === ExportResultCode.SUCCESS;
      sending -= count;
      if (isTaken) account.exported += count;
      else account.dropped.failed += count;
      // Such an error is an answer of the receiver; others came instead of one.
      if (isTaken || result.error instanceof OTLPExporterError) account.unacknowledged -= count;
      done(result);
    });
  };
  return () => sending;
}

/** Accounts for an exporter of metrics: an export holds all of them, so the next one makes up for one that failed. */
export function countMetricExports<I>(exporter: Exporter<I>, account: Account): void {
  const sending = countExports(exporter, account, () => {
    account.started++;
    account.ended++;
    return 1;
  });
  account.keep(() => ({ queued: 0, sending: sending() }));
}

/**
 * Accounts for a batching processor of the SDK and its exporter. The bound of its queue is kept here, since the SDK tells
 * nobody what it drops.
 */
class CountedQueue {
  readonly #account: Account;
  readonly #capacity: number;
  #queued = 0;
  isStopped = false;

  constructor(exporter: Exporter<readonly unknown[]>, account: Account, capacity: number) {
    this.#account = account;
    this.#capacity = capacity;
    const sending = countExports(exporter, account, ({ length }) => {
      this.#queued -= length;
      return length;
    });
    account.keep(() => ({ queued: this.#queued, sending: sending() }));
  }

  /** Whether there is room for one more, which is then counted; else it is dropped. */
  admits(): boolean {
    this.#account.ended++;
    if (this.#queued >= this.#capacity) {
      this.#account.dropped.queue_full++;
      return false;
    }
    this.#queued++;
    return true;
  }
}

/** The processor with its exporter accounted for; `capacity` is the bound of its queue, in spans. */
export function countedSpans<E extends Exporter<never[]>>(
  processor: SpanProcessor,
  exporter: E,
  account: Account,
  capacity: number,
): SpanProcessor {
  const queue = new CountedQueue(exporter as unknown as Exporter<readonly unknown[]>, account, capacity);
  return {
    onStart: (span, context) => processor.onStart(span, context),
    onEnd(span) {
      const isSampled = (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
      if (isSampled && !queue.isStopped && queue.admits()) processor.onEnd(span);
    },
    forceFlush: () => processor.forceFlush(),
    shutdown() {
      queue.isStopped = true;
      return processor.shutdown();
    },
  };
}

/** The same for log records. */
export function countedLogRecords<E extends Exporter<never[]>>(
  processor: LogRecordProcessor,
  exporter: E,
  account: Account,
  capacity: number,
): LogRecordProcessor {
  const queue = new CountedQueue(exporter as unknown as Exporter<readonly unknown[]>, account, capacity);
  return {
    onEmit(record, context?: Context) {
      if (queue.isStopped) return;
      account.started++;
      if (queue.admits()) processor.onEmit(record, context);
    },
    forceFlush: () => processor.forceFlush(),
    shutdown() {
      queue.isStopped = true;
      return processor.shutdown();
    },
  };
}
