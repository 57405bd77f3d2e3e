import { expect } from 'chai';
import { createPrometheusDoor, type PrometheusDoor } from '../../../../src/core/telemetry/metrics/prometheus.ts';
import { MetricRegistry } from '../../../../src/core/telemetry/metrics/registry.ts';
import { renderRegistry } from './collected.ts';
import { parseExposition } from './strict-parser.ts';

describe('metrics: the door for domains', () => {
  let registry: MetricRegistry;
  let prometheus: PrometheusDoor;
  beforeEach(() => {
    registry = new MetricRegistry();
    prometheus = createPrometheusDoor(registry);
  });

  it('registers a counter, a gauge and a histogram whose bound children record', async () => {
    prometheus
      .registerCounter('domain_tickets_total', 'Tickets', ['criticality'])
      .labels({ criticality: 'high' })
      .inc();
    prometheus.registerGauge('domain_open_tickets', 'Open tickets', ['team']).labels({ team: 'a' }).set(4);
    const wait = prometheus.registerHistogram('domain_wait_seconds', 'Wait', ['team'], { buckets: [1, 5] });
    wait.labels({ team: 'a' }).observe(3);
    const families = parseExposition(await renderRegistry(registry, { format: 'text' }), 'text');
    expect(families.get('domain_tickets_total')?.samples).to.deep.equal([
      { name: 'domain_tickets_total', labels: { criticality: 'high' }, value: 1 },
    ]);
    expect(families.get('domain_open_tickets')?.samples[0]?.value).to.equal(4);
    expect(
      families.get('domain_wait_seconds')?.samples.map(({ labels, value }) => [labels['le'], value]),
    ).to.deep.equal([
      ['1.0', 0],
      ['5.0', 1],
      ['+Inf', 1],
      [undefined, 3],
      [undefined, 1],
    ]);
  });

  for (const name of ['tickets_total', 'app_tickets_total', 'domain_', 'xdomain_tickets']) {
    it(`refuses the name ${name} and says how names begin`, () => {
      expect(() => prometheus.registerCounter(name, 'Tickets')).to.throw(TypeError, 'begin with "domain_"');
    });
  }

  for (const name of ['domain_tickets-total', 'domain_tickets total', 'domain_é', '', 5]) {
    it(`refuses ${JSON.stringify(name)}, which is no metric name`, () => {
      expect(() => prometheus.registerGauge(name as string, 'Tickets')).to.throw(TypeError, 'is not a metric name');
    });
  }

  for (const label of ['le', 'quantile', '__name__', 'otel_scope_name']) {
    it(`refuses the label ${label}, which is reserved`, () => {
      expect(() => prometheus.registerCounter('domain_x_total', 'X', [label])).to.throw(TypeError, 'is reserved');
    });
  }

  it('refuses labels that are malformed or given twice', () => {
    expect(() => prometheus.registerCounter('domain_x_total', 'X', ['a-b'])).to.throw(TypeError, 'not a label name');
    expect(() => prometheus.registerCounter('domain_x_total', 'X', ['a', 'a'])).to.throw(TypeError, 'given twice');
  });

  for (const help of ['', '  ', undefined]) {
    it(`refuses the help ${JSON.stringify(help)}`, () => {
      expect(() => prometheus.registerCounter('domain_x_total', help as string)).to.throw(TypeError, 'help');
    });
  }

  it('shows a counter without _total as it is, and in OpenMetrics as a valid one', async () => {
    prometheus.registerCounter('domain_tickets', 'Tickets').inc(2);
    const text = parseExposition(await renderRegistry(registry, { format: 'text' }), 'text');
    expect(text.get('domain_tickets')?.samples[0]?.name).to.equal('domain_tickets');
    const openMetrics = parseExposition(await renderRegistry(registry, { format: 'openmetrics' }), 'openmetrics');
    expect(openMetrics.get('domain_tickets')?.samples[0]?.name).to.equal('domain_tickets_total');
  });
});
