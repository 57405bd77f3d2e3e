import { expect } from 'chai';
import fc from 'fast-check';
import { negotiateFormat } from '../../../../src/core/telemetry/metrics/negotiate-format.ts';

const RUNS = { numRuns: 200 };
const OPENMETRICS = 'application/openmetrics-text';
const TEXT = 'text/plain';

/** Qualities in thousandths, and one of the ways to write them. */
const quality = fc.integer({ min: 0, max: 1000 });
const written = (thousandths: number) => (thousandths / 1000).toFixed(3);
const other = fc.constantFrom('text/html', 'application/json;q=0.9', 'image/*', 'application/xml;q=0.5;ext=1');
const piece = fc.constantFrom(
  ...[OPENMETRICS, TEXT, '*/*', 'text/*', ';', ',', 'q=', '0.5', 'version=1.0.0', '"', ' ', '/', '*'],
);
const almost = fc
  .array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 20 })
  .map((pieces) => pieces.join(''));

describe('the format of metrics, whatever Accept says,', () => {
  it('is one of the two', () => {
    fc.assert(
      fc.property(fc.oneof(almost, fc.string({ unit: 'binary' })), (accept) => {
        expect(negotiateFormat(accept)).to.be.oneOf(['text', 'openmetrics']);
      }),
      RUNS,
    );
  });

  it('is the one that is wanted more, wherever the two stand in the list', () => {
    fc.assert(
      fc.property(
        quality,
        quality,
        fc.array(other, { maxLength: 4 }),
        fc.infiniteStream(fc.nat()),
        (om, text, others, order) => {
          const entries = [`${OPENMETRICS}; version=1.0.0; q=${written(om)}`, `${TEXT};q=${written(text)}`, ...others];
          const shuffled = entries.map((entry) => ({ entry, at: order.next().value ?? 0 })).sort((a, b) => a.at - b.at);
          const expected = om > text || (om === text && om > 0) ? 'openmetrics' : 'text';
          expect(negotiateFormat(shuffled.map(({ entry }) => entry).join(', '))).to.equal(expected);
        },
      ),
      RUNS,
    );
  });

  it('is text where OpenMetrics is not named, or not well', () => {
    const malformed = fc.constantFrom(
      'q=2',
      'q=1.1',
      'q=-1',
      'q=',
      'q=0.1234',
      'q=abc',
      'q=1e0',
      'version=2.0.0',
      'q=0',
    );
    const spoilt = malformed.map((parameter) => `${OPENMETRICS};${parameter}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(other, spoilt), { maxLength: 6 }), (entries) => {
        expect(negotiateFormat(entries.join(','))).to.equal('text');
      }),
      RUNS,
    );
  });
});
