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
  #stopped = false;

  constructor(options: Omit<BatchExporterOptions, 'what'>) {
    this.#account = options.account;
    this.#exporter = new BatchExporter({ ...options, what: 'log records' });
    this.#batch = this.#exporter.queue.open(LOG_SCOPE);
  }

  onEmit(record: ReadableLogRecord): void {
    if (this.#stopped) return;
    this.#account.started++;
    const { queue } = this.#exporter;
    const scope = record.instrumentationScope;
    // One scope follows itself nearly always.
    if (this.#batch.scope !== scope) this.#batch = queue.open(scope);
    queue.add(this.#batch, writeLogRecord, record);
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
