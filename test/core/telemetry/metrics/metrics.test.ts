import { DataPointType } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import type { Histogram } from '../../../../src/core/telemetry/metrics/instruments.ts';
import * as exported from '../../../../src/core/telemetry/metrics/metrics.ts';
import { InstrumentProducer } from '../../../../src/core/telemetry/metrics/producer.ts';
import { MetricRegistry, metricRegistry } from '../../../../src/core/telemetry/metrics/registry.ts';
import * as service from '../../../../src/core/telemetry/metrics/service-metrics.ts';
import { renderRegistry } from './collected.ts';
import { parseExposition } from './strict-parser.ts';

const metrics = { ...exported };
const CONTRACT = [
  ['requestCount', 'app_requests_total', 'counter', 'method endpoint status', 'Total HTTP requests'],
  ['requestLatency', 'app_request_latency_seconds', 'histogram', 'method endpoint', 'HTTP request latency'],
  ['errorCount', 'app_errors_total', 'counter', 'endpoint exception_type', 'Total application errors'],
  ['systemMemoryUsage', 'system_memory_usage_percentage', 'gauge', 'type', 'System memory usage %'],
  ['systemCpuUsage', 'system_cpu_usage_percentage', 'gauge', '', 'System CPU usage %'],
  ['backgroundJobRuns', 'background_job_runs_total', 'counter', 'job_name', 'Background job execution count'],
  ['backgroundJobFailures', 'background_job_failures_total', 'counter', 'job_name', 'Background job failure count'],
  ['backgroundJobDuration', 'background_job_duration_seconds', 'histogram', 'job_name', 'Background job duration'],
  ['dbPostgresPoolSize', 'db_postgres_poolsize', 'gauge', '', 'Total connections in the pool'],
  ['dbPostgresPoolCheckedOut', 'db_postgres_pool_checked_out', 'gauge', '', 'Connections currently in use'],
  ['dbPostgresPoolOverflow', 'db_postgres_pool_overflow', 'gauge', '', 'Connections beyond pool size'],
  [
    'dbPostgresQueryDuration',
    'db_postgres_query_duration_seconds',
    'histogram',
    'operation',
    'PostgreSQL query execution time',
  ],
  [
    'dbMongoCommandDuration',
    'db_mongo_command_duration_seconds',
    'histogram',
    'command collection',
    'MongoDB command execution time',
  ],
] as const;
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const JOB_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

describe('metrics: the registered ones', () => {
  it('are these thirteen, and no others', () => {
    expect(Object.keys(metrics).sort()).to.deep.equal(CONTRACT.map(([key]) => key).sort());
  });

  for (const [key, name, kind, labels, help] of CONTRACT) {
    it(`${key} is the ${kind} ${name} by ${labels || 'no labels'}`, () => {
      const { shape } = metrics[key];
      expect({ ...shape, labelNames: shape.labelNames.join(' ') }).to.deep.equal({
        kind,
        name,
        labelNames: labels,
        help,
      });
    });
  }

  it('have the buckets of the specification', () => {
    for (const [key, , kind] of CONTRACT) {
      if (kind !== 'histogram') continue;
      const expected = key === 'backgroundJobDuration' ? JOB_BUCKETS : REQUEST_BUCKETS;
      expect((metrics[key] as unknown as Histogram).buckets, key).to.deep.equal(expected);
    }
  });

  for (const format of ['text', 'openmetrics'] as const) {
    it(`are announced in ${format} before anything was recorded, under their exact names`, async () => {
      const families = parseExposition(await renderRegistry(metricRegistry, { format }), format);
      for (const [, name, kind, , help] of CONTRACT) {
        const family = families.get(format === 'openmetrics' ? name.replace(/_total$/, '') : name);
        expect(family, name).to.deep.include({ type: kind, help });
        const unit = format === 'openmetrics' && name.endsWith('_seconds') ? 'seconds' : undefined;
        expect(family?.unit, name).to.equal(unit);
      }
    });
  }

  it('end in nothing that the linter of Prometheus refuses', () => {
    for (const { shape } of metricRegistry.instruments()) {
      const refused = shape.kind === 'counter' ? /_(count|sum|bucket)$/ : /_(count|sum|bucket|total)$/;
      expect(shape.name).to.not.match(refused);
      if (shape.kind === 'counter') expect(shape.name).to.match(/_total$/);
    }
  });
});

describe('metrics: about the service itself', () => {
  const read = async () => parseExposition(await renderRegistry(metricRegistry, { format: 'text' }), 'text');

  it('tell what is running, since when, and what it uses', async () => {
    service.setBuildInfo({ version: '1.2.3', commit: 'abc' });
    const families = await read();
    expect(families.get('app_build_info')?.samples).to.deep.include({
      name: 'app_build_info',
      labels: { version: '1.2.3', commit: 'abc', node: process.version },
      value: 1,
    });
    const valueIn = (name: string) => families.get(name)?.samples[0]?.value;
    expect(valueIn('process_start_time_seconds')).to.be.closeTo(Date.now() / 1000 - process.uptime(), 5);
    expect(valueIn('process_cpu_seconds_total')).to.be.greaterThan(0);
    expect(valueIn('process_resident_memory_bytes')).to.be.greaterThan(1e7);
  });

  it('tell of dropped log lines by the figures of whoever dropped them', async () => {
    const stop = service.logDropped.addCallback((report) => report(7, { destination: 'file' }));
    const samples = (await read()).get('okapi_log_dropped_total')?.samples;
    stop();
    expect(samples).to.deep.equal([{ name: 'okapi_log_dropped_total', labels: { destination: 'file' }, value: 7 }]);
  });
});

describe('metrics: handing over to the SDK', () => {
  it('gives sums, gauges and histograms, cumulative since the process began', async () => {
    const registry = new MetricRegistry();
    registry.counter('cpu_seconds_total', 'CPU').inc(3);
    registry.gauge('open', 'Open', ['kind']).labels({ kind: 'a' }).set(2);
    registry.histogram('wait_seconds', 'Wait', [], { buckets: [1, 5] }).observe(3);
    const { resourceMetrics, errors } = await new InstrumentProducer({ registry }).collect();
    const [scopeMetrics] = resourceMetrics.scopeMetrics;
    const [sum, gauge, histogram] = scopeMetrics?.metrics ?? [];
    expect(errors).to.deep.equal([]);
    expect(scopeMetrics?.scope.name).to.equal('okapi');
    expect(sum).to.deep.include({ dataPointType: DataPointType.SUM, isMonotonic: true });
    expect(sum?.descriptor).to.deep.include({ name: 'cpu_seconds_total', unit: 's', description: 'CPU' });
    expect(gauge?.dataPointType).to.equal(DataPointType.GAUGE);
    expect(gauge?.dataPoints[0]).to.deep.include({ attributes: { kind: 'a' }, value: 2 });
    const value = { buckets: { boundaries: [1, 5], counts: [0, 1, 0] }, count: 1, sum: 3 };
    expect(histogram?.dataPoints[0]?.value).to.deep.equal(value);
    const { startTime = [0, 0], endTime = [0, 0] } = histogram?.dataPoints[0] ?? {};
    expect(startTime[0]).to.be.closeTo(Date.now() / 1000 - process.uptime(), 5);
    expect(endTime[0]).to.be.closeTo(Date.now() / 1000, 5);
  });

  it('leaves instruments without a series out unless they are asked for', async () => {
    const registry = new MetricRegistry();
    registry.counter('orders_total', 'Orders', ['kind']);
    const count = async (emptyFamilies: boolean) =>
      (await new InstrumentProducer({ registry, emptyFamilies }).collect()).resourceMetrics.scopeMetrics[0]?.metrics
        .length;
    expect(await count(false)).to.equal(0);
    expect(await count(true)).to.equal(1);
  });

  it('goes on when a callback fails, and hands its error over', async () => {
    const registry = new MetricRegistry();
    registry.observableGauge('broken', 'Broken').addCallback(() => {
      throw new Error('no figures today');
    });
    registry.observableCounter('backwards_total', 'Backwards').addCallback((report) => report(-1, {}));
    registry.gauge('fine', 'Fine').set(1);
    const { resourceMetrics, errors } = await new InstrumentProducer({ registry }).collect();
    expect(resourceMetrics.scopeMetrics[0]?.metrics.map(({ descriptor }) => descriptor.name)).to.deep.equal(['fine']);
    expect(errors.map(String)).to.deep.equal([
      'Error: no figures today',
      'TypeError: backwards_total: a counter cannot be -1',
    ]);
  });

  it('rests between slices of a large collection', async () => {
    const registry = new MetricRegistry();
    const gauge = registry.gauge('x', 'X', ['id']);
    for (let id = 0; id < 100; id++) gauge.labels({ id: `${id}` }).set(id);
    let rests = 0;
    const pause = async () => {
      rests++;
    };
    await new InstrumentProducer({ registry, budgetMs: 0, pause }).collect();
    expect(rests).to.equal(100);
  });
});
