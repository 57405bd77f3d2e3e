// NodeSDK as the documentation of OpenTelemetry has it: preloaded, spans to OTLP (by OTEL_EXPORTER_OTLP_ENDPOINT),
// metrics for Prometheus, the http instrumentation. With FASTIFY=on also @fastify/otel.
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NodeSDK } from '@opentelemetry/sdk-node';

const instrumentations = [new HttpInstrumentation()];
if (process.env.FASTIFY === 'on') {
  const { FastifyOtelInstrumentation } = await import('@fastify/otel');
  instrumentations.push(new FastifyOtelInstrumentation({ registerOnInitialization: true }));
}
const sdk = new NodeSDK({
  traceExporter: new OTLPTraceExporter(),
  metricReaders: [new PrometheusExporter({ host: '127.0.0.1', port: Number(process.env.METRICS_PORT) })],
  instrumentations,
});
sdk.start();
