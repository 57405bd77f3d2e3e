import { expect } from 'chai';
import fc from 'fast-check';
import { MAX_CHILDREN } from '../../../../src/core/telemetry/metrics/labels.ts';
import { MetricRegistry } from '../../../../src/core/telemetry/metrics/registry.ts';
import { renderRegistry } from './collected.ts';
import { parseExposition } from './strict-parser.ts';

const WHO_ERRS = 'orders_total: ';

describe('metrics: instruments', () => {
  let registry: MetricRegistry;
  beforeEach(() => {
    registry = new MetricRegistry();
  });

  describe('labels', () => {
    it('gives the same child for the same values, whatever their order', () => {
      const orders = registry.counter('orders_total', 'Orders', ['kind', 'city']);
      orders.labels({ kind: 'a', city: 'b' }).inc(2);
      expect(orders.labels({ city: 'b', kind: 'a' }).value).to.equal(2);
    });

    it('keeps values apart that look alike when written one after the other', () => {
      const values = fc.tuple(fc.string(), fc.string(), fc.string(), fc.string());
      fc.assert(
        fc.property(values, ([a, b, c, d]) => {
          const orders = new MetricRegistry().counter('orders_total', 'Orders', ['kind', 'city']);
          const isSame = orders.labels({ kind: a, city: b }) === orders.labels({ kind: c, city: d });
          expect(isSame).to.equal(a === c && b === d);
        }),
      );
      const orders = registry.counter('orders_total', 'Orders', ['kind', 'city']);
      expect(orders.labels({ kind: '1', city: '1:2' })).to.not.equal(orders.labels({ kind: '11:', city: '2' }));
    });

    const refused = [
      { given: { kind: 'a' }, says: 'label "city" is missing; it takes exactly kind, city' },
      { given: { kind: 'a', city: 'b', street: 'c' }, says: 'label "street" is unknown; it takes exactly kind, city' },
      { given: { kind: 'a', city: 5 }, says: 'the value of label "city" is not a string; it takes exactly kind, city' },
    ];
    for (const { given, says } of refused) {
      it(`refuses ${JSON.stringify(given)} and says: ${says}`, () => {
        const orders = registry.counter('orders_total', 'Orders', ['kind', 'city']);
        expect(() => orders.labels(given as never)).to.throw(TypeError, WHO_ERRS + says);
      });
    }

    it('asks for labels when a family that has some is used without', () => {
      const orders = registry.counter('orders_total', 'Orders', ['kind']);
      expect(() => orders.inc()).to.throw(TypeError, 'label "kind" is missing');
    });
  });

  describe('recording', () => {
    for (const n of [-1, Number.NaN, Infinity, '1', null]) {
      it(`refuses to count ${JSON.stringify(n)} (${String(n)}) and to observe it`, () => {
        const counter = registry.counter('orders_total', 'Orders');
        const histogram = registry.histogram('wait_seconds', 'Wait', [], { buckets: [1] });
        expect(() => counter.inc(n as number)).to.throw(TypeError, 'orders_total: inc() takes a finite number');
        expect(() => histogram.observe(n as number)).to.throw(TypeError, 'wait_seconds: observe() takes a finite');
        expect(counter.labels().value).to.equal(0);
        expect(histogram.labels().read().count).to.equal(0);
      });
    }

    it('moves a gauge up, down and to anything that is a number', () => {
      const gauge = registry.gauge('open_tickets', 'Open tickets');
      gauge.set(5);
      gauge.inc(2);
      gauge.dec();
      expect(gauge.labels().value).to.equal(6);
      gauge.set(Number.NaN);
      expect(gauge.labels().value).to.be.NaN;
      expect(() => gauge.set('5' as never)).to.throw(TypeError, 'open_tickets: set() takes a number');
    });

    it('counts a value into the first bucket that it does not exceed', () => {
      const bounds = fc.uniqueArray(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 12 });
      const values = fc.array(fc.double({ min: 0, max: 120, noNaN: true }));
      fc.assert(
        fc.property(bounds, values, (unsorted, observed) => {
          const buckets = [...new Set(unsorted.map((bound) => bound + 0))].sort((a, b) => a - b);
          const child = new MetricRegistry().histogram('wait_seconds', 'Wait', [], { buckets }).labels();
          for (const value of observed) child.observe(value);
          const { counts, count, sum } = child.read();
          const expected = new Array(buckets.length + 1).fill(0);
          for (const value of observed) {
            const index = buckets.findIndex((bound) => value <= bound);
            expected[index === -1 ? buckets.length : index]++;
          }
          expect(counts).to.deep.equal(expected);
          expect(count).to.equal(observed.length);
          expect(sum).to.equal(observed.reduce((total, value) => total + value, 0));
        }),
      );
    });
  });

  describe('the bound on children', () => {
    it('gathers label values beyond 2,000 under otel_metric_overflow and counts them', async () => {
      const orders = registry.counter('orders_total', 'Orders', ['kind']);
      for (let i = 0; i < MAX_CHILDREN + 3; i++) orders.labels({ kind: `${i}` }).inc();
      orders.labels({ kind: '7' }).inc();
      const samples = parseExposition(await renderRegistry(registry, { format: 'text' }), 'text').get(
        'orders_total',
      )?.samples;
      expect(samples).to.have.length(MAX_CHILDREN + 1);
      expect(samples?.at(-1)).to.deep.include({ labels: { otel_metric_overflow: 'true' }, value: 3 });
      expect(samples?.find(({ labels }) => labels['kind'] === '7')?.value).to.equal(2);
      expect(orders.overflowCount).to.equal(3);
    });
  });

  describe('registering', () => {
    it('gives the same instrument for the same name and shape, whatever the order of the labels', () => {
      const once = registry.histogram('wait_seconds', 'Wait', ['a', 'b'], { buckets: [1, 2] });
      expect(registry.histogram('wait_seconds', 'Wait', ['b', 'a'], { buckets: [1, 2] })).to.equal(once);
    });

    it('throws for the same name with another kind, help, labels or buckets', () => {
      registry.histogram('wait_seconds', 'Wait', ['a'], { buckets: [1, 2] });
      const other = 'wait_seconds is registered with another shape';
      expect(() => registry.gauge('wait_seconds', 'Wait', ['a'])).to.throw(other);
      expect(() => registry.histogram('wait_seconds', 'Other', ['a'], { buckets: [1, 2] })).to.throw(other);
      expect(() => registry.histogram('wait_seconds', 'Wait', ['b'], { buckets: [1, 2] })).to.throw(other);
      expect(() => registry.histogram('wait_seconds', 'Wait', ['a'], { buckets: [1, 3] })).to.throw(other);
    });

    it('throws where two families would write series of the same name', () => {
      registry.histogram('wait_seconds', 'Wait', [], { buckets: [1] });
      expect(() => registry.gauge('wait_seconds_count', 'Waits')).to.throw('clashes with wait_seconds');
      registry.counter('orders', 'Orders');
      expect(() => registry.counter('orders_total', 'Orders')).to.throw('clashes with orders');
    });

    for (const buckets of [[], [2, 1], [1, 1], [-1, 1], [1, Infinity], [Number.NaN]]) {
      it(`refuses the buckets [${buckets.join(', ')}]`, () => {
        expect(() => registry.histogram('wait_seconds', 'Wait', [], { buckets })).to.throw(TypeError, 'ascending');
      });
    }
  });

  describe('figures that others keep', () => {
    it('asks for them at each collection and forgets what is not reported any more', async () => {
      const open = registry.observableGauge('open_files', 'Open files', ['kind']);
      let kinds = ['log', 'socket'];
      const stop = open.addCallback((report) => {
        for (const [index, kind] of kinds.entries()) report(index, { kind });
      });
      const read = async () =>
        parseExposition(await renderRegistry(registry, { format: 'text' }), 'text').get('open_files')?.samples;
      expect(await read()).to.have.length(2);
      kinds = ['log'];
      expect(await read()).to.deep.equal([{ name: 'open_files', labels: { kind: 'log' }, value: 0 }]);
      stop();
      expect(await read()).to.deep.equal([]);
    });
  });
});
