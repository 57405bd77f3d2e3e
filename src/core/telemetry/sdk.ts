import { context, metrics, propagation } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb';
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node';
import type { Resource } from '@opentelemetry/resources';
import { AggregationType, MeterProvider, type MetricReader, type ViewOptions } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { NoopSpanProcessor } from '@opentelemetry/sdk-trace';
import type { Settings } from '../config/index.ts';
import type { LogSink } from '../logging/index.ts';
import { routeDiagnostics } from './diagnostics.ts';
import { createLogProcessors, createMetricReaders, createSpanProcessors, observeAccounts } from './exporters.ts';
import { heldForJob } from './held-for-job.ts';
import { type LedgerView, ledger } from './ledger.ts';
import { exportLogRecord } from './logs/log-export.ts';
import { requestDurations, statementDurations } from './metrics/durations.ts';
import { InstrumentProducer } from './metrics/producer.ts';
import { mongoStatement } from './mongo-statement.ts';
import { outgoingHttpInstrumentations, wrapNodeHttp } from './outgoing-http.ts';
import { propagatorsFromEnvironment } from './propagators.ts';
import { createResource, type ServiceIdentity, serviceIdentity } from './resource.ts';
import { countedSampler, samplerFromEnvironment } from './sampler.ts';
import { SamplingBoosts, withBoosts } from './sampling-boosts.ts';
import { sendBaggage } from './send-baggage.ts';
import { toReadableClientSpan, toReadableSpan } from './spans/readable-span.ts';
import { SpanExporter } from './spans/span-exporter.ts';
import { setTracing } from './spans/tracing.ts';

/** The running telemetry of this process. */
export type Telemetry = {
  readonly service: ServiceIdentity;
  /** The reader behind `/metrics`. */
  readonly metricReader: MetricReader;
  /** Sends log records as OTLP; absent when no exporter is configured for them. */
  readonly logSink?: LogSink;
  /** What is sampled for a while whatever the ratio; with `OPERATIONS_SWITCHES`, and where there is tracing. */
  readonly boosts?: SamplingBoosts;
  /** Exports what is waiting, for `timeoutMs` at most. Resolves to what went wrong, never rejects. */
  shutdown(timeoutMs: number): Promise<string | undefined>;
  /** What became of what is exported by OTLP, signal by signal. */
  ledger(): LedgerView;
  /** The last word of the ledger: what has not left by now is lost. */
  closeLedger(): LedgerView;
};

const accounts = { ledger: () => ledger.view(), closeLedger: () => ledger.close() };

// promtool refuses a gauge that ends in _count, and db_postgres_poolsize says the same.
const VIEWS: ViewOptions[] = [
  { instrumentName: 'db.client.connection.count', aggregation: { type: AggregationType.DROP } },
];
const DURATIONS = [requestDurations, statementDurations];

let running: Telemetry | undefined;

/** What `startTelemetry` started. Throws when the preload was forgotten, since nothing would be traced. */
export function getTelemetry(): Telemetry {
  if (running === undefined) throw new Error('Telemetry is not started: run with --import ./instrumentation.ts');
  return running;
}

/**
 * Starts the OpenTelemetry SDK. Must run before Koa, pg or mongodb are loaded, hence the preload. Exporters follow the
 * standard `OTEL_*` variables; none is started unless they name one.
 */
export async function startTelemetry(settings: Settings): Promise<Telemetry> {
  const service = serviceIdentity(settings);
  const resource = createResource(service);
  sendBaggage(settings.traceBaggageHosts);
  const metricReader = new PrometheusExporter({
    preventServerStart: true,
    metricProducers: [new InstrumentProducer({ emptyFamilies: true }), ...DURATIONS],
  });
  if (process.env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') {
    running = startWithoutExport(service, resource, metricReader);
    return running;
  }

  const boosts = settings.operationsSwitches ? new SamplingBoosts() : undefined;
  const standard = samplerFromEnvironment();
  const sampler = boosts === undefined ? standard : withBoosts(standard, boosts);
  routeDiagnostics();
  const spanProcessors = await createSpanProcessors(resource, ledger);
  const logRecordProcessors = await createLogProcessors(resource, ledger);
  const pushing = await createMetricReaders([new InstrumentProducer(), ...DURATIONS], ledger);
  // With it the SDK would count the spans of its own, under the names by which the ledger shows all of them.
  delete process.env['OTEL_NODE_EXPERIMENTAL_SDK_METRICS'];
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    sampler: countedSampler(sampler, ledger.spans),
    spanProcessors: spanProcessors.length > 0 ? spanProcessors.map(heldForJob) : [new NoopSpanProcessor()],
    metricReaders: [metricReader, ...pushing.map(({ reader }) => reader)],
    logRecordProcessors,
    views: VIEWS,
    textMapPropagator: propagatorsFromEnvironment(),
    instrumentations: [
      ...outgoingHttpInstrumentations(),
      new MongoDBInstrumentation({ dbStatementSerializer: mongoStatement }),
      new RuntimeNodeInstrumentation(),
    ],
  });
  sdk.start();
  wrapNodeHttp();
  observeAccounts(ledger);
  for (const { observe } of pushing) observe?.();
  setTracing({
    sampler,
    enabled: true,
    onEnd: (span) => {
      for (const processor of spanProcessors) {
        if (processor instanceof SpanExporter) processor.onServerSpanEnd(span);
        else processor.onEnd(toReadableSpan(span, resource));
      }
    },
    onJobEnd: (span) => {
      for (const processor of spanProcessors) processor.onEnd(toReadableSpan(span, resource));
    },
    onClientEnd: (span) => {
      for (const processor of spanProcessors) {
        if (processor instanceof SpanExporter) processor.onClientSpanEnd(span);
        else processor.onEnd(toReadableClientSpan(span, resource));
      }
    },
  });
  let isShutDown = false;
  // What is logged after that would only make the SDK complain.
  const logSink: LogSink = (record) => {
    if (!isShutDown) exportLogRecord(record);
  };
  running = {
    service,
    metricReader,
    ...(logRecordProcessors.length > 0 ? { logSink } : {}),
    ...(boosts && { boosts }),
    shutdown(timeoutMs) {
      isShutDown = true;
      return within(timeoutMs, sdk.shutdown());
    },
    ...accounts,
  };
  return running;
}

/** `OTEL_SDK_DISABLED=true`: no spans and no OTLP, while context, ids and `/metrics` stay. */
function startWithoutExport(service: ServiceIdentity, resource: Resource, metricReader: MetricReader): Telemetry {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(propagatorsFromEnvironment());
  const meterProvider = new MeterProvider({ resource, readers: [metricReader], views: VIEWS });
  metrics.setGlobalMeterProvider(meterProvider);
  return {
    service,
    metricReader,
    shutdown: (timeoutMs) => within(timeoutMs, meterProvider.shutdown()),
    ...accounts,
  };
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<string | undefined> {
  const timeout = Promise.withResolvers<string>();
  const timer = setTimeout(() => timeout.resolve(`not finished after ${timeoutMs} ms`), timeoutMs);
  const outcome = work.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  try {
    return await Promise.race([outcome, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
