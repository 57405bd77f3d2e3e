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
import { SpanExporter } from './spans/span-exporter.ts';

type Signal = 'TRACES' | 'METRICS' | 'LOGS';
type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Which exporters the standard variables ask for. Unlike the SDK, where OTLP to localhost is the default, nothing is
 * exported unless an endpoint or an `OTEL_*_EXPORTER` names an exporter. `prometheus` is this service's own `/metrics`.
 */
export function exporterNames(signal: Signal, env: Variables = process.env): readonly ('otlp' | 'console')[] {
  const named = env[`OTEL_${signal}_EXPORTER`]?.split(',').map((name) => name.trim());
  const endpoint = env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`];
  const names = named?.some((name) => name !== '') ? named : endpoint ? ['otlp'] : [];
  return (['otlp', 'console'] as const).filter((name) => names.includes(name));
}

/** The transport of OTLP: `http/protobuf` unless `OTEL_EXPORTER_OTLP[_<signal>]_PROTOCOL` says otherwise. */
export function otlpProtocol(signal: Signal, env: Variables = process.env): 'grpc' | 'http/json' | 'http/protobuf' {
  const protocol = env[`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`] || env['OTEL_EXPORTER_OTLP_PROTOCOL'];
  return protocol === 'grpc' || protocol === 'http/json' ? protocol : 'http/protobuf';
}

function positive(name: string): number | undefined {
  const value = Number(process.env[name]);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function given<T extends Record<string, unknown>>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

const MAX_QUEUE_BYTES = 32 * 1024 * 1024;

/**
 * Span processors by the standard variables, `OTEL_BSP_*` included; none when nothing is to be exported. Over HTTP in
 * protobuf, the default, spans go through our own exporter, whose queue is bounded in bytes unless
 * `OTEL_BSP_MAX_QUEUE_SIZE` says a number of spans.
 */
export async function createSpanProcessors(resource: Resource): Promise<SpanProcessor[]> {
  const maxQueueSize = positive('OTEL_BSP_MAX_QUEUE_SIZE');
  const scheduledDelayMillis = positive('OTEL_BSP_SCHEDULE_DELAY');
  const maxExportBatchSize = positive('OTEL_BSP_MAX_EXPORT_BATCH_SIZE');
  const exportTimeoutMillis = positive('OTEL_BSP_EXPORT_TIMEOUT');
  return Promise.all(
    exporterNames('TRACES').map(async (name) => {
      if (name === 'console') return new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() });
      if (otlpProtocol('TRACES') === 'http/protobuf') {
        return new SpanExporter({
          resource,
          maxBytes: MAX_QUEUE_BYTES,
          maxSpans: maxQueueSize ?? Number.POSITIVE_INFINITY,
          batchSpans: Math.min(maxExportBatchSize ?? 512, maxQueueSize ?? Number.POSITIVE_INFINITY),
          scheduledDelayMs: scheduledDelayMillis ?? 5000,
        });
      }
      const { OTLPTraceExporter } = await importTraceExporter();
      const batching = given({ maxQueueSize, scheduledDelayMillis, exportTimeoutMillis, maxExportBatchSize });
      return new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), ...batching });
    }),
  );
}

/** Metric readers that push, by the standard variables; each also collects from `producers`. */
export async function createMetricReaders(metricProducers: MetricProducer[]): Promise<PeriodicExportingMetricReader[]> {
  const exportIntervalMillis = positive('OTEL_METRIC_EXPORT_INTERVAL') ?? 60_000;
  const exportTimeoutMillis = Math.min(positive('OTEL_METRIC_EXPORT_TIMEOUT') ?? 30_000, exportIntervalMillis);
  return Promise.all(
    exporterNames('METRICS').map(async (name) => {
      const { OTLPMetricExporter } = await importMetricExporter();
      const exporter = name === 'console' ? new ConsoleMetricExporter() : new OTLPMetricExporter();
      return new PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis,
        exportTimeoutMillis,
        metricProducers,
      });
    }),
  );
}

/** Log record processors by the standard variables, `OTEL_BLRP_*` included. */
export async function createLogProcessors(): Promise<LogRecordProcessor[]> {
  const batching = given({
    maxQueueSize: positive('OTEL_BLRP_MAX_QUEUE_SIZE'),
    scheduledDelayMillis: positive('OTEL_BLRP_SCHEDULE_DELAY'),
    exportTimeoutMillis: positive('OTEL_BLRP_EXPORT_TIMEOUT'),
    maxExportBatchSize: positive('OTEL_BLRP_MAX_EXPORT_BATCH_SIZE'),
  });
  return Promise.all(
    exporterNames('LOGS').map(async (name) => {
      if (name === 'console') return new SimpleLogRecordProcessor({ exporter: new ConsoleLogRecordExporter() });
      const { OTLPLogExporter } = await importLogExporter();
      return new BatchLogRecordProcessor({ exporter: new OTLPLogExporter(), ...batching });
    }),
  );
}

function importTraceExporter() {
  switch (otlpProtocol('TRACES')) {
    case 'grpc':
      return import('@opentelemetry/exporter-trace-otlp-grpc');
    default:
      return import('@opentelemetry/exporter-trace-otlp-http');
  }
}

function importMetricExporter() {
  switch (otlpProtocol('METRICS')) {
    case 'grpc':
      return import('@opentelemetry/exporter-metrics-otlp-grpc');
    case 'http/json':
      return import('@opentelemetry/exporter-metrics-otlp-http');
    default:
      return import('@opentelemetry/exporter-metrics-otlp-proto');
  }
}

function importLogExporter() {
  switch (otlpProtocol('LOGS')) {
    case 'grpc':
      return import('@opentelemetry/exporter-logs-otlp-grpc');
    case 'http/json':
      return import('@opentelemetry/exporter-logs-otlp-http');
    default:
      return import('@opentelemetry/exporter-logs-otlp-proto');
  }
}
