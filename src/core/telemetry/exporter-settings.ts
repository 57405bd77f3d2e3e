export type Signal = 'TRACES' | 'METRICS' | 'LOGS';
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

/** The number that a variable gives; what is none or not above zero counts as not given. */
export function positive(name: string): number | undefined {
  const value = Number(process.env[name]);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

/** The options without those that are not given. */
export function given<T extends Record<string, unknown>>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

/** `OTEL_BSP_*` or `OTEL_BLRP_*`, whatever of them is given. */
export function batching(prefix: 'OTEL_BSP' | 'OTEL_BLRP') {
  return {
    maxQueueSize: positive(`${prefix}_MAX_QUEUE_SIZE`),
    scheduledDelayMillis: positive(`${prefix}_SCHEDULE_DELAY`),
    maxExportBatchSize: positive(`${prefix}_MAX_EXPORT_BATCH_SIZE`),
    exportTimeoutMillis: positive(`${prefix}_EXPORT_TIMEOUT`),
  };
}
