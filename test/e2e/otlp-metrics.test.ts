import { expect } from 'chai';
import { request, signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type OtlpReceiver, type ReceivedMetric, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { Service } from '../support/service.ts';
import { useServices } from '../support/use-services.ts';

const CLEAN = { code: 0, signal: null };
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

describe('metrics by OTLP', () => {
  const { start } = useServices();
  let receiver: OtlpReceiver;

  beforeEach(async () => {
    receiver = await startOtlpReceiver();
  });
  afterEach(() => receiver.close());

  const find = (metrics: readonly ReceivedMetric[], name: string) => metrics.find((metric) => metric.name === name);

  /** The value of the one series of a metric that has these attributes. */
  function seriesValue(metrics: readonly ReceivedMetric[], name: string, attributes: Record<string, unknown>): number {
    const points = find(metrics, name)?.points.filter((point) =>
      Object.entries(attributes).every(([key, value]) => point.attributes[key] === value),
    );
    expect(points, name).to.have.lengthOf(1);
    return points?.[0]?.value ?? Number.NaN;
  }

  async function send({ url }: Service, requests: number): Promise<void> {
    for (let each = 0; each < requests; each++) expect(await request(`${url}/`)).to.have.property('status', 200);
  }

  it('go where their own variables say, and hold each metric of the service once', async () => {
    const env = {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${receiver.url}/v1/metrics`,
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'x-tenant=a',
      OTEL_METRIC_EXPORT_INTERVAL: '300',
    };
    const service = await start({ env });
    await signIn(service.url);
    await send(service, 5);
    await eventually(() => receiver.metricExports.length >= 2);
    await send(service, 5);
    const scraped = (await request(`${service.url}/metrics/app_requests_total`)).text;
    expect(await service.stop()).to.deep.equal(CLEAN);

    expect([receiver.spans, receiver.logs], 'nothing else was asked for').to.deep.equal([[], []]);
    for (const { metrics, headers } of receiver.metricExports) {
      expect(headers['x-tenant']).to.equal('a');
      const names = metrics.map(({ name }) => name);
      expect([...new Set(names)]).to.deep.equal(names);
    }
    const { metrics } = receiver.metricExports.at(-1) ?? { metrics: [] };
    const root = { method: 'GET', endpoint: '/' };
    expect(seriesValue(metrics, 'app_requests_total', { ...root, status: '200' })).to.equal(10);
    expect(scraped).to.contain('app_requests_total{method="GET",endpoint="/",status="200"} 10');
    expect(find(metrics, 'app_requests_total')).to.include({ kind: 'sum', isCumulative: true, scope: 'okapi' });
    expect(seriesValue(metrics, 'app_request_latency_seconds', root)).to.equal(10);
    expect(find(metrics, 'app_request_latency_seconds')).to.include({ kind: 'histogram', unit: 's' });
    expect(seriesValue(metrics, 'http.server.request.duration', { 'http.route': '/' })).to.equal(10);
    for (const name of [
      'app_request_latency_seconds',
      'http.server.request.duration',
      'db.client.operation.duration',
    ]) {
      for (const { value, sum, bounds, counts } of find(metrics, name)?.points ?? []) {
        expect(bounds).to.deep.equal(BUCKETS);
        expect(counts?.reduce((total, count) => total + count, 0)).to.equal(value);
        expect(sum).to.be.above(0);
      }
    }
    for (const name of ['db_postgres_poolsize', 'process_resident_memory_bytes', 'nodejs.eventloop.utilization']) {
      expect(find(metrics, name)?.points, name).to.have.lengthOf(1);
    }
    expect(seriesValue(metrics, 'otel.sdk.exporter.metric_data_point.exported', {})).to.be.above(100);
    expect(find(metrics, 'otel.sdk.span.started'), 'no spans are exported').to.equal(undefined);
    expect(find(metrics, 'db_postgres_poolsize')?.resource).to.include({
      'service.name': 'okapi',
      'deployment.environment.name': 'development',
    });
  });

  it('are sent a last time at the stop, however long the interval', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_NODE_EXPERIMENTAL_SDK_METRICS: 'true' };
    const service = await start({ env });
    await send(service, 7);
    expect(receiver.metricExports).to.deep.equal([]);
    expect(await service.stop()).to.deep.equal(CLEAN);
    expect(receiver.metricExports).to.have.lengthOf(1);
    expect(seriesValue(receiver.metrics, 'app_requests_total', { endpoint: '/' })).to.equal(7);
    const sampled = { 'otel.span.sampling_result': 'RECORD_AND_SAMPLE' };
    // Those of background jobs that found nothing to do were begun too.
    expect(seriesValue(receiver.metrics, 'otel.sdk.span.started', sampled)).to.be.at.least(7);
    expect(seriesValue(receiver.metrics, 'otel.sdk.span.live', sampled)).to.equal(0);
    expect(seriesValue(receiver.metrics, 'otel.sdk.log.created', {})).to.be.at.least(7);
    const names = receiver.metrics.map(({ name }) => name);
    expect([...new Set(names)]).to.deep.equal(names);
  });

  it('are exported where an exporter is named, and prometheus is none', async () => {
    const common = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
    };
    for (const [exporter, exports] of [
      ['prometheus', 0],
      ['none', 0],
      ['prometheus,otlp', 1],
    ] as const) {
      const before = receiver.metricExports.length;
      const service = await start({ env: { ...common, OTEL_METRICS_EXPORTER: exporter } });
      expect((await request(`${service.url}/metrics`)).text, exporter).to.contain('app_build_info{');
      expect(await service.stop()).to.deep.equal(CLEAN);
      expect(receiver.metricExports.length - before, exporter).to.equal(exports);
    }
    expect([receiver.spans, receiver.logs]).to.deep.equal([[], []]);
  });
});
