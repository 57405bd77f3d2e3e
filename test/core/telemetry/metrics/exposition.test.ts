import { ValueType } from '@opentelemetry/api';
import { expect } from 'chai';
import fc from 'fast-check';
import { isMetricPrefix } from '../../../../src/core/telemetry/metrics/names.ts';
import { MetricRegistry } from '../../../../src/core/telemetry/metrics/registry.ts';
import { boundText, type ExpositionFormat } from '../../../../src/core/telemetry/metrics/text.ts';
import { foreign, renderAll, renderRegistry, resourceMetrics, sdkWith } from './collected.ts';
import { parseExposition } from './strict-parser.ts';

const FORMATS: ExpositionFormat[] = ['text', 'openmetrics'];
const span = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };

describe('metrics: exposition', () => {
  let registry: MetricRegistry;
  beforeEach(() => {
    registry = new MetricRegistry();
  });

  for (const format of FORMATS) {
    it(`can be read back in ${format}, whatever stands in labels, help and values`, async () => {
      const anyText = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom('\\', '"', '\n', '{', '}', ',', ' ', '#', '\ud800', 'n') }),
      );
      const anyHelp = anyText.map((text) => `x${text}`);
      const rows = fc.uniqueArray(fc.record({ a: anyText, b: anyText, value: fc.double() }), {
        selector: ({ a, b }) => JSON.stringify([a.toWellFormed(), b.toWellFormed()]),
      });
      await fc.assert(
        fc.asyncProperty(rows, anyHelp, async (given, help) => {
          const fresh = new MetricRegistry();
          const gauge = fresh.gauge('x', help, ['a', 'b']);
          for (const { a, b, value } of given) gauge.labels({ a, b }).set(value);
          const utf8 = Buffer.from(await renderRegistry(fresh, { format })).toString();
          const family = parseExposition(utf8, format).get('x');
          expect(family?.help).to.equal(help.toWellFormed());
          expect(family?.samples).to.deep.equal(
            given.map(({ a, b, value }) => ({
              name: 'x',
              labels: { a: a.toWellFormed(), b: b.toWellFormed() },
              value: value + 0,
            })),
          );
        }),
        { numRuns: 150 },
      );
    });
  }

  it('writes NaN and the infinities as Prometheus reads them', async () => {
    const gauge = registry.gauge('x', 'X', ['a']);
    for (const value of [Number.NaN, Infinity, -Infinity]) gauge.labels({ a: String(value) }).set(value);
    const text = await renderRegistry(registry, { format: 'text' });
    expect(text).to.contain('x{a="NaN"} NaN\nx{a="Infinity"} +Inf\nx{a="-Infinity"} -Inf\n');
  });

  it('writes the bounds of buckets canonically, the same in both formats', () => {
    const bounds = [0.00001, 0.0025, 0.5, 1, 300, 1e6, 1.5e6, 1e21, Infinity];
    const texts = ['1e-05', '0.0025', '0.5', '1.0', '300.0', '1e+06', '1.5e+06', '1e+21', '+Inf'];
    expect(bounds.map(boundText)).to.deep.equal(texts);
  });

  it('shows the newest sampled span on the bucket that counted it, in OpenMetrics only', async () => {
    const wait = registry.histogram('wait_seconds', 'Wait', [], { buckets: [1, 5] });
    wait.observe(0.5);
    wait.observe(3, { ...span, traceId: 'f'.repeat(32) });
    wait.observe(4, span);
    const samples = parseExposition(await renderRegistry(registry, { format: 'openmetrics' }), 'openmetrics').get(
      'wait_seconds',
    )?.samples;
    expect(samples?.[0]).to.not.have.property('exemplar');
    expect(samples?.[1]?.exemplar?.labels).to.deep.equal({ trace_id: span.traceId, span_id: span.spanId });
    expect(samples?.[1]?.exemplar?.value).to.equal(4);
    expect(samples?.[1]?.exemplar?.timestamp).to.be.closeTo(Date.now() / 1000, 10);
    expect(await renderRegistry(registry, { format: 'text' })).to.not.contain('trace_id');
  });

  it('says a unit only where it is the word that ends the name', async () => {
    registry.counter('cpu_seconds_total', 'CPU');
    registry.gauge('memory_bytes', 'Memory');
    registry.gauge('memory_usage_percentage', 'Memory %');
    const families = parseExposition(await renderRegistry(registry, { format: 'openmetrics' }), 'openmetrics');
    const units = [...families.values()].map(({ name, unit }) => [name, unit]);
    expect(units).to.deep.equal([
      ['cpu_seconds', 'seconds'],
      ['memory_bytes', 'bytes'],
      ['memory_usage_percentage', undefined],
    ]);
    expect(await renderRegistry(registry, { format: 'text' })).to.not.contain('# UNIT');
  });

  it('announces a family without series by its help and type', async () => {
    registry.counter('orders_total', 'Orders', ['kind']);
    const text = await renderRegistry(registry, { format: 'text' });
    expect(text).to.equal('# HELP orders_total Orders\n# TYPE orders_total counter\n');
  });

  it("gives the SDK's metrics the names of the OpenTelemetry-to-Prometheus mapping", async () => {
    const scope = { name: 'sdk' };
    const metrics = [
      foreign('http.server.request.duration', 'gauge', { unit: 's' }),
      foreign('nodejs.eventloop.utilization', 'gauge', { unit: '1' }),
      foreign('v8js.memory.heap.used', 'updown', { unit: 'By' }),
      foreign('otel.sdk.span.started', 'sum', { unit: '{span}' }),
      foreign('nodejs.eventloop.time', 'sum', { unit: 's' }),
      foreign('io.rate', 'gauge', { unit: 'By/s' }),
      foreign('wait.ms', 'gauge', { unit: 'ms' }),
      foreign('already_seconds', 'gauge', { unit: 's' }),
      foreign('requests_total', 'sum'),
      foreign('2xx', 'gauge'),
    ];
    const names = parseExposition(
      await renderAll(resourceMetrics({ scope, metrics }), { format: 'text' }),
      'text',
    ).keys();
    expect([...names].sort()).to.deep.equal([
      '_2xx',
      'already_seconds',
      'http_server_request_duration_seconds',
      'io_rate_bytes_per_second',
      'nodejs_eventloop_time_seconds_total',
      'nodejs_eventloop_utilization_ratio',
      'otel_sdk_span_started_total',
      'requests_total',
      'v8js_memory_heap_used_bytes',
      'wait_ms_milliseconds',
    ]);
  });

  it('makes label names of attribute names and joins the values of those that become the same', async () => {
    const attributes = [{ 'http.route': '/a', 'a.b': 'first', a_b: 'second', '9': 'x', list: ['p', 'q'], flag: true }];
    const metrics = [foreign('x', 'gauge', { attributes })];
    const text = await renderAll(resourceMetrics({ scope: { name: 'sdk' }, metrics }), { format: 'text' });
    expect(parseExposition(text, 'text').get('x')?.samples[0]?.labels).to.deep.equal({
      http_route: '/a',
      a_b: 'first;second',
      key_9: 'x',
      list: '["p","q"]',
      flag: 'true',
    });
  });

  for (const format of FORMATS) {
    it(`makes one family of the same metric from several scopes in ${format}, without a series twice`, async () => {
      const one = { scope: { name: 'one' }, metrics: [foreign('x', 'sum', { attributes: [{ a: '1' }, { a: '2' }] })] };
      const two = { scope: { name: 'two' }, metrics: [foreign('x', 'sum', { attributes: [{ a: '2' }, { a: '3' }] })] };
      const text = await renderAll(resourceMetrics(one, two), { format });
      const [family] = parseExposition(text, format).values();
      expect(family?.samples.map(({ labels }) => labels['a'])).to.deep.equal(['1', '2', '3']);
    });

    it(`leaves out what would make ${format} ambiguous, and tells of it`, async () => {
      registry.histogram('wait_seconds', 'Wait', [], { buckets: [1] });
      const { reader, provider } = sdkWith(registry);
      const meter = provider.getMeter('sdk');
      meter.createCounter('wait', { unit: 's' }).add(1);
      meter.createGauge('wait.seconds.count').record(1);
      meter.createCounter('jobs').add(1);
      meter.createGauge('jobs.total').record(1);
      const told: string[] = [];
      const { resourceMetrics } = await reader.collect();
      const text = await renderAll(resourceMetrics, { format, onLeftOut: (name) => told.push(name) });
      expect([...parseExposition(text, format).values()].map(({ type }) => type)).to.deep.equal([
        'counter',
        'histogram',
      ]);
      expect(told).to.deep.equal(['wait_seconds_total', 'wait_seconds_count', 'jobs_total']);
    });
  }

  it("shows the SDK's own histograms, without scope labels and target_info", async () => {
    const { reader, provider } = sdkWith(registry);
    const advice = { explicitBucketBoundaries: [0.5, 1] };
    const options = { unit: 's', description: 'Duration', valueType: ValueType.DOUBLE, advice };
    const duration = provider.getMeter('http', '1.0').createHistogram('http.server.request.duration', options);
    duration.record(0.7, { 'http.route': '/a', le: '9' });
    const { resourceMetrics } = await reader.collect();
    expect(await renderAll(resourceMetrics, { format: 'openmetrics', prefix: 'http_' })).to.equal(`\
# HELP http_server_request_duration_seconds Duration
# TYPE http_server_request_duration_seconds histogram
# UNIT http_server_request_duration_seconds seconds
http_server_request_duration_seconds_bucket{http_route="/a",exported_le="9",le="0.5"} 0
http_server_request_duration_seconds_bucket{http_route="/a",exported_le="9",le="1.0"} 1
http_server_request_duration_seconds_bucket{http_route="/a",exported_le="9",le="+Inf"} 1
http_server_request_duration_seconds_sum{http_route="/a",exported_le="9"} 0.7
http_server_request_duration_seconds_count{http_route="/a",exported_le="9"} 1
# EOF
`);
  });

  describe('a prefix', () => {
    it('picks the families whose name begins with it, a counter by its name with _total in both formats', async () => {
      registry.counter('app_requests_total', 'Requests');
      registry.gauge('app_open', 'Open');
      registry.gauge('db_open', 'Open');
      const inText = parseExposition(await renderRegistry(registry, { format: 'text', prefix: 'app_' }), 'text');
      expect([...inText.keys()]).to.deep.equal(['app_open', 'app_requests_total']);
      const options = { format: 'openmetrics', prefix: 'app_requests_total' } as const;
      const inOpenMetrics = parseExposition(await renderRegistry(registry, options), 'openmetrics');
      expect([...inOpenMetrics.keys()]).to.deep.equal(['app_requests']);
    });

    it('that matches nothing gives an empty scrape', async () => {
      expect(await renderRegistry(registry, { format: 'text', prefix: 'nothing' })).to.equal('');
      expect(await renderRegistry(registry, { format: 'openmetrics', prefix: 'nothing' })).to.equal('# EOF\n');
    });

    it('is 1 to 100 characters of the metric name grammar', () => {
      for (const good of ['a', 'app_', ':x', 'a'.repeat(100)]) expect(isMetricPrefix(good), good).to.equal(true);
      for (const bad of ['', '1a', 'a-b', 'a\n', 'é', 'a'.repeat(101)])
        expect(isMetricPrefix(bad), bad).to.equal(false);
    });
  });

  it('gives the event loop back after each slice of a scrape with 20,000 series', async () => {
    for (let family = 0; family < 10; family++) {
      const counter = registry.counter(`family_${family}_total`, 'Many', ['id']);
      for (let id = 0; id < 2000; id++) counter.labels({ id: `${id}` }).inc();
    }
    // A clock on which each look takes a hundredth of a millisecond: 200 series a slice of two.
    let time = 0;
    let rests = 0;
    const slicing = {
      now: () => {
        time += 0.01;
        return time;
      },
      pause: async () => {
        rests++;
      },
    };
    const { resourceMetrics } = await sdkWith(registry).reader.collect();
    const text = await renderAll(resourceMetrics, { format: 'text', ...slicing });
    expect(text.match(/^family/gm)).to.have.length(20_000);
    expect(rests).to.be.within(90, 110);
  });

  it('lets others run while it rests', async () => {
    for (let id = 0; id < 50; id++)
      registry
        .gauge('x', 'X', ['id'])
        .labels({ id: `${id}` })
        .set(id);
    const { resourceMetrics } = await sdkWith(registry).reader.collect();
    let turns = 0;
    const turn = () => {
      turns++;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    await renderAll(resourceMetrics, { format: 'text', budgetMs: 0 });
    clearImmediate(next);
    expect(turns).to.be.at.least(49);
  });
});
