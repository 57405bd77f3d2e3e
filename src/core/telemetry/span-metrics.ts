import { type Attributes, metrics } from '@opentelemetry/api';
import type { SpanExporter } from './spans/span-exporter.ts';

const COMPONENT: Attributes = {
  'otel.component.type': 'otlp_http_span_exporter',
  'otel.component.name': 'otlp_http_span_exporter/0',
};
const QUEUE_FULL: Attributes = { ...COMPONENT, 'error.type': 'queue_full' };
const REJECTED: Attributes = { ...COMPONENT, 'error.type': 'rejected' };

/**
 * Shows how many spans were exported, wait, and were lost, by the semantic conventions for the SDK itself (`otel.sdk.*`).
 * The losses are there at 0 from the start on, so that the first one is an increase.
 */
export function observeSpanExporter(exporter: Pick<SpanExporter, 'figures'>): void {
  const meter = metrics.getMeter('okapi.telemetry');
  const unit = '{span}';
  meter
    .createObservableCounter('otel.sdk.exporter.span.exported', {
      description: 'The number of spans for which the export has finished, either successful or failed.',
      unit,
    })
    .addCallback((result) => {
      result.observe(exporter.figures.exported, COMPONENT);
      result.observe(exporter.figures.droppedRejected, REJECTED);
    });
  meter
    .createObservableCounter('otel.sdk.processor.span.processed', {
      description: 'The number of spans for which the processing has finished, either successful or failed.',
      unit,
    })
    .addCallback((result) => {
      const { exported, droppedRejected, droppedQueueFull } = exporter.figures;
      result.observe(exported + droppedRejected, COMPONENT);
      result.observe(droppedQueueFull, QUEUE_FULL);
    });
  meter
    .createObservableUpDownCounter('otel.sdk.processor.span.queue.size', {
      description: 'The number of spans in the queue of a given instance of an SDK span processor.',
      unit,
    })
    .addCallback((result) => result.observe(exporter.figures.waiting + exporter.figures.inFlight, COMPONENT));
}
