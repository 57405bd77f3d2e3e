import { type Attributes, type Meter, metrics } from '@opentelemetry/api';
import type { Account, DropCause } from './ledger.ts';

/** What exports a signal, as the semantic conventions call it. */
export type Component = {
  /** `span` or `log`, as it stands in the names of the metrics. */
  readonly signal: 'span' | 'log';
  readonly unit: '{span}' | '{log_record}';
  readonly transport: 'http' | 'http_json' | 'grpc';
};

const EXPORTER_CAUSES: readonly DropCause[] = ['rejected', 'failed'];
const QUEUE_CAUSES: readonly DropCause[] = ['queue_full', 'too_large'];

/**
 * Shows an account by the semantic conventions for the SDK itself (`otel.sdk.*`). The losses are there at 0 from the
 * start on, so that the first one is an increase.
 */
export function observeAccount(account: Account, { signal, unit, transport }: Component): void {
  const type = `otlp_${transport}_${signal}_exporter`;
  const component: Attributes = { 'otel.component.type': type, 'otel.component.name': `${type}/0` };
  const causes = (names: readonly DropCause[]) =>
    names.map((name) => [name, { ...component, 'error.type': name }] as const);
  const [ofExporter, ofQueue] = [causes(EXPORTER_CAUSES), causes(QUEUE_CAUSES)];
  const records = signal === 'span' ? 'spans' : 'log records';
  const meter = metrics.getMeter('okapi.telemetry');
  if (signal === 'span') observeSpans(meter, account);
  else observeLogRecords(meter, account);
  meter
    .createObservableCounter(`otel.sdk.exporter.${signal}.exported`, {
      description: `The number of ${records} for which the export has finished, either successful or failed.`,
      unit,
    })
    .addCallback((result) => {
      result.observe(account.exported, component);
      for (const [cause, attributes] of ofExporter) result.observe(account.dropped[cause], attributes);
    });
  meter
    .createObservableCounter(`otel.sdk.processor.${signal}.processed`, {
      description: `The number of ${records} for which the processing has finished, either successful or failed.`,
      unit,
    })
    .addCallback((result) => {
      const { exported, dropped } = account;
      result.observe(exported + dropped.rejected + dropped.failed, component);
      for (const [cause, attributes] of ofQueue) result.observe(dropped[cause], attributes);
    });
  meter
    .createObservableUpDownCounter(`otel.sdk.processor.${signal}.queue.size`, {
      description: `The number of ${records} in the queue of a given instance of an SDK ${signal} processor.`,
      unit,
    })
    .addCallback((result) => {
      const { queued, sending } = account.view().in_flight;
      result.observe(queued + sending, component);
    });
}

const SAMPLED: Attributes = { 'otel.span.sampling_result': 'RECORD_AND_SAMPLE' };
const SAMPLED_OUT: Attributes = { 'otel.span.sampling_result': 'DROP' };

function observeSpans(meter: Meter, account: Account): void {
  meter
    .createObservableCounter('otel.sdk.span.started', { description: 'The number of created spans.', unit: '{span}' })
    .addCallback((result) => {
      result.observe(account.started - account.sampledOut, SAMPLED);
      result.observe(account.sampledOut, SAMPLED_OUT);
    });
  meter
    .createObservableUpDownCounter('otel.sdk.span.live', {
      description: 'The number of currently live spans.',
      unit: '{span}',
    })
    .addCallback((result) => result.observe(account.view().in_flight.open, SAMPLED));
}

function observeLogRecords(meter: Meter, account: Account): void {
  meter
    .createObservableCounter('otel.sdk.log.created', {
      description: 'The number of logs submitted to enabled SDK Loggers.',
      unit: '{log_record}',
    })
    .addCallback((result) => result.observe(account.started));
}
