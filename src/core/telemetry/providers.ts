import { context, logs, metrics, propagation, type TextMapPropagator, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { getNumberFromEnv } from '@opentelemetry/core';
import { type Instrumentation, registerInstrumentations } from '@opentelemetry/instrumentation';
import type { Resource } from '@opentelemetry/resources';
import { LoggerProvider, type LogRecordLimits, type LogRecordProcessor } from '@opentelemetry/sdk-logs';
import { AggregationType, MeterProvider, type MetricReader, type ViewOptions } from '@opentelemetry/sdk-metrics';
import { type Sampler, type SpanLimits, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

export type ProviderOptions = {
  resource: Resource;
  sampler: Sampler;
  spanProcessors: SpanProcessor[];
  metricReaders: MetricReader[];
  logRecordProcessors: LogRecordProcessor[];
  instrumentations: Instrumentation[];
};

/** Ends what was started, and what is waiting is exported. */
export type Shutdown = () => Promise<unknown>;

// promtool refuses a gauge that ends in _count, and db_postgres_poolsize says the same.
const VIEWS: ViewOptions[] = [
  { instrumentName: 'db.client.connection.count', aggregation: { type: AggregationType.DROP } },
];

/** Context and propagation, which requests need whether or not anything is exported. */
export function registerContext(propagator: TextMapPropagator): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(propagator);
}

/** Makes the metrics of `readers` the process's own. */
export function registerMetrics(resource: Resource, readers: MetricReader[]): Shutdown {
  const meterProvider = new MeterProvider({ resource, readers, views: VIEWS });
  metrics.setGlobalMeterProvider(meterProvider);
  return () => meterProvider.shutdown();
}

/**
 * Makes the SDK's providers the process's own, and patches the drivers. `NodeSDK` would do the same, but loads every
 * exporter that there is for it (docs/decisions/dependencies.md). Limits follow the standard `OTEL_*_LIMIT` variables.
 */
export function registerProviders(options: ProviderOptions): Shutdown {
  const { resource, sampler, spanProcessors, metricReaders, logRecordProcessors, instrumentations } = options;
  registerInstrumentations({ instrumentations });
  const endMetrics = registerMetrics(resource, metricReaders);
  for (const instrumentation of instrumentations) instrumentation.setMeterProvider(metrics.getMeterProvider());
  const tracerProvider = new TracerProvider({ resource, sampler, spanProcessors, spanLimits: spanLimits() });
  trace.setGlobalTracerProvider(tracerProvider);
  const loggerProvider = new LoggerProvider({
    resource,
    processors: logRecordProcessors,
    logRecordLimits: attributeLimits('OTEL_LOGRECORD'),
  });
  logs.setGlobalLoggerProvider(loggerProvider);
  return () => Promise.all([tracerProvider.shutdown(), loggerProvider.shutdown(), endMetrics()]);
}

/** OpenTelemetry specification, "SDK Environment Variables": attribute and span limits. What is not set is left out. */
function spanLimits(): SpanLimits {
  return {
    ...attributeLimits('OTEL_SPAN'),
    ...limit('eventCountLimit', 'OTEL_SPAN_EVENT_COUNT_LIMIT'),
    ...limit('linkCountLimit', 'OTEL_SPAN_LINK_COUNT_LIMIT'),
    ...limit('attributePerEventCountLimit', 'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'),
    ...limit('attributePerLinkCountLimit', 'OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'),
  };
}

function attributeLimits(prefix: 'OTEL_SPAN' | 'OTEL_LOGRECORD'): SpanLimits & LogRecordLimits {
  return {
    ...limit('attributeCountLimit', `${prefix}_ATTRIBUTE_COUNT_LIMIT`, 'OTEL_ATTRIBUTE_COUNT_LIMIT'),
    ...limit(
      'attributeValueLengthLimit',
      `${prefix}_ATTRIBUTE_VALUE_LENGTH_LIMIT`,
      'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    ),
  };
}

/** The limit by the first of the variables that holds a number. */
function limit(name: keyof SpanLimits, ...variables: string[]): SpanLimits {
  for (const variable of variables) {
    const value = getNumberFromEnv(variable);
    if (value !== undefined) return { [name]: value };
  }
  return {};
}
