import type { LogRecordProcessor, ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { Account } from '../ledger.ts';
import { BatchExporter, type BatchExporterOptions } from '../otlp/batch-exporter.ts';
import type { OpenBatch } from '../otlp/record-queue.ts';
import { LOG_SCOPE } from '../scopes.ts';
import { writeLogRecord } from './encode-log.ts';

/** Sends log records as OTLP over HTTP in protobuf, as bytes from the moment they are logged. */
export class LogExporter implements LogRecordProcessor {
  readonly #account: Account;
  readonly #exporter: BatchExporter;
  #batch: OpenBatch;

  constructor(options: Omit<BatchExporterOptions, 'what'>) {
    this.#account = options.account;
    this.#exporter = new BatchExporter({ ...options, what: 'log records' });
    this.#batch = this.#exporter.queue.open(LOG_SCOPE);
  }

  onEmit(record: ReadableLogRecord): void {
    if (this.#exporter.isStopped) return;
    this.#account.started++;
    const scope = record.instrumentationScope;
    // One scope follows itself nearly always.
    if (this.#batch.scope !== scope) this.#batch = this.#exporter.queue.open(scope);
    this.#exporter.add(this.#batch, writeLogRecord, record);
  }

  forceFlush(): Promise<void> {
    return this.#exporter.flush();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}
