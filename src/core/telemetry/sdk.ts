import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb';
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node';
import type { MetricReader } from '@opentelemetry/sdk-metrics';
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
import { registerContext, registerMetrics, registerProviders } from './providers.ts';
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
    // No spans and no OTLP, while context, ids and `/metrics` stay.
    registerContext(propagatorsFromEnvironment());
    const endMetrics = registerMetrics(resource, [metricReader]);
    running = { service, metricReader, shutdown: (timeoutMs) => within(timeoutMs, endMetrics()), ...accounts };
    return running;
  }

  const boosts = settings.operationsSwitches ? new SamplingBoosts() : undefined;
  const standard = samplerFromEnvironment();
  const sampler = boosts === undefined ? standard : withBoosts(standard, boosts);
  routeDiagnostics();
  const spanProcessors = await createSpanProcessors(resource, ledger);
  const logRecordProcessors = await createLogProcessors(resource, ledger);
  const pushing = await createMetricReaders([new InstrumentProducer(), ...DURATIONS], ledger);
  registerContext(propagatorsFromEnvironment());
  const endProviders = registerProviders({
    resource,
    sampler: countedSampler(sampler, ledger.spans),
    spanProcessors: spanProcessors.length > 0 ? spanProcessors.map(heldForJob) : [new NoopSpanProcessor()],
    metricReaders: [metricReader, ...pushing.map(({ reader }) => reader)],
    logRecordProcessors,
    instrumentations: [
      ...outgoingHttpInstrumentations(),
      new MongoDBInstrumentation({ dbStatementSerializer: mongoStatement }),
      new RuntimeNodeInstrumentation(),
    ],
  });
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
      return within(timeoutMs, endProviders());
    },
    ...accounts,
  };
  return running;
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
