import { metrics } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  BatchLogRecordProcessor,
  ConsoleLogRecordExporter,
  type LogRecordProcessor,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import { ConsoleMetricExporter, type MetricProducer, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { observeAccount } from './account-metrics.ts';
import { countedLogRecords, countedSpans, countMetricExports } from './counted-exports.ts';
import { batching, exporterNames, given, otlpProtocol, positive } from './exporter-settings.ts';
import type { Ledger } from './ledger.ts';
import { LogExporter } from './logs/log-exporter.ts';
import { createPost } from './otlp/post.ts';
import { importLogExporter, importMetricExporter, importTraceExporter } from './sdk-exporters.ts';
import { SpanExporter } from './spans/span-exporter.ts';

const MAX_SPAN_BYTES = 32 * 1024 * 1024;
/** Beside their number; a record of common size comes nowhere near it. */
const MAX_LOG_BYTES = 8 * 1024 * 1024;
const DEFAULT_QUEUE_SIZE = 2048;
const DEFAULT_BATCH_SIZE = 512;

/**
 * Span processors by the standard variables, `OTEL_BSP_*` included; none when nothing is to be exported. Over HTTP in
 * protobuf, the default, spans go through our own exporter, whose queue is bounded in bytes unless
 * `OTEL_BSP_MAX_QUEUE_SIZE` says a number of spans.
 */
export async function createSpanProcessors(resource: Resource, { spans }: Ledger): Promise<SpanProcessor[]> {
  const asked = batching('OTEL_BSP');
  return Promise.all(
    exporterNames('TRACES').map(async (name) => {
      if (name === 'console') return new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() });
      if (otlpProtocol('TRACES') === 'http/protobuf') {
        const maxRecords = asked.maxQueueSize ?? Number.POSITIVE_INFINITY;
        return new SpanExporter({
          account: spans,
          resource,
          post: createPost('TRACES'),
          maxBytes: MAX_SPAN_BYTES,
          maxRecords,
          batchRecords: Math.min(asked.maxExportBatchSize ?? Number.POSITIVE_INFINITY, maxRecords),
          scheduledDelayMs: asked.scheduledDelayMillis ?? 5000,
        });
      }
      const { OTLPTraceExporter } = await importTraceExporter();
      const exporter = new OTLPTraceExporter();
      const processor = new BatchSpanProcessor({ exporter, ...given(asked) });
      return countedSpans(processor, exporter, spans, asked.maxQueueSize ?? DEFAULT_QUEUE_SIZE);
    }),
  );
}

/** A reader that pushes; `observe` has its exporter count its data points, once there is a meter provider. */
export type PushingReader = { reader: PeriodicExportingMetricReader; observe?: () => void };

/** Metric readers that push, by the standard variables; each also collects from `metricProducers`. */
export async function createMetricReaders(
  metricProducers: MetricProducer[],
  { metricExports }: Ledger,
): Promise<PushingReader[]> {
  const exportIntervalMillis = positive('OTEL_METRIC_EXPORT_INTERVAL') ?? 60_000;
  const exportTimeoutMillis = Math.min(positive('OTEL_METRIC_EXPORT_TIMEOUT') ?? 30_000, exportIntervalMillis);
  const common = { exportIntervalMillis, exportTimeoutMillis, metricProducers };
  return Promise.all(
    exporterNames('METRICS').map(async (name) => {
      if (name === 'console') {
        return { reader: new PeriodicExportingMetricReader({ exporter: new ConsoleMetricExporter(), ...common }) };
      }
      const { OTLPMetricExporter } = await importMetricExporter();
      const exporter = new OTLPMetricExporter();
      countMetricExports(exporter, metricExports);
      return {
        reader: new PeriodicExportingMetricReader({ exporter, ...common }),
        observe: () => exporter.setSelfObsMeterProvider(metrics.getMeterProvider()),
      };
    }),
  );
}

/**
 * Log record processors by the standard variables, `OTEL_BLRP_*` included. Over HTTP in protobuf, the default, records go
 * through our own exporter, which keeps what could not be sent.
 */
export async function createLogProcessors(resource: Resource, { logRecords }: Ledger): Promise<LogRecordProcessor[]> {
  const asked = batching('OTEL_BLRP');
  const maxRecords = asked.maxQueueSize ?? DEFAULT_QUEUE_SIZE;
  return Promise.all(
    exporterNames('LOGS').map(async (name) => {
      if (name === 'console') return new SimpleLogRecordProcessor({ exporter: new ConsoleLogRecordExporter() });
      if (otlpProtocol('LOGS') === 'http/protobuf') {
        return new LogExporter({
          account: logRecords,
          resource,
          post: createPost('LOGS'),
          maxBytes: MAX_LOG_BYTES,
          maxRecords,
          batchRecords: Math.min(asked.maxExportBatchSize ?? DEFAULT_BATCH_SIZE, maxRecords),
          scheduledDelayMs: asked.scheduledDelayMillis ?? 1000,
        });
      }
      const { OTLPLogExporter } = await importLogExporter();
      const exporter = new OTLPLogExporter();
      const processor = new BatchLogRecordProcessor({ exporter, ...given(asked) });
      return countedLogRecords(processor, exporter, logRecords, maxRecords);
    }),
  );
}

const TRANSPORTS = { grpc: 'grpc', 'http/json': 'http_json', 'http/protobuf': 'http' } as const;

/** Shows the accounts of what is exported as metrics of the SDK. To be called once its meter provider is there. */
export function observeAccounts({ spans, logRecords }: Ledger): void {
  if (spans.isKept) {
    observeAccount(spans, { signal: 'span', unit: '{span}', transport: TRANSPORTS[otlpProtocol('TRACES')] });
  }
  if (logRecords.isKept) {
    observeAccount(logRecords, { signal: 'log', unit: '{log_record}', transport: TRANSPORTS[otlpProtocol('LOGS')] });
  }
}
