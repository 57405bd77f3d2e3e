import { otlpProtocol } from './exporter-settings.ts';

// The SDK's own exporters, loaded only where one is asked for.

/** For spans, but over HTTP in protobuf, which is ours. */
export function importTraceExporter() {
  switch (otlpProtocol('TRACES')) {
    case 'grpc':
      return import('@opentelemetry/exporter-trace-otlp-grpc');
    default:
      return import('@opentelemetry/exporter-trace-otlp-http');
  }
}

/** For metrics, by any transport. */
export function importMetricExporter() {
  switch (otlpProtocol('METRICS')) {
    case 'grpc':
      return import('@opentelemetry/exporter-metrics-otlp-grpc');
    case 'http/json':
      return import('@opentelemetry/exporter-metrics-otlp-http');
    default:
      return import('@opentelemetry/exporter-metrics-otlp-proto');
  }
}

/** For log records, but over HTTP in protobuf, which is ours. */
export function importLogExporter() {
  switch (otlpProtocol('LOGS')) {
    case 'grpc':
      return import('@opentelemetry/exporter-logs-otlp-grpc');
    default:
      return import('@opentelemetry/exporter-logs-otlp-http');
  }
}
