import { expect } from 'chai';
import fc from 'fast-check';
import { requestIdFor } from '../../../src/core/http/request-id.ts';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const RUNS = { numRuns: 200 };
const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));

/** The rule of the documentation, character by character. */
function isWellFormed(text: string): boolean {
  const codes = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
  return codes.length >= 1 && codes.length <= 128 && codes.every((code) => code > 0x20 && code < 0x7f);
}

describe('the request id, whatever X-Request-ID says,', () => {
  it("is the caller's when that is 1 to 128 visible ASCII characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: visible, minLength: 1, maxLength: 128 }), (given) => {
        expect(requestIdFor(given)).to.equal(given);
      }),
      RUNS,
    );
  });

  it('is a UUID of its own otherwise', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 200 }),
      fc.constantFrom(129, 130, 1000, 16_000).map((length) => 'x'.repeat(length)),
      fc
        .tuple(fc.string(), fc.constantFrom('\n', '\r', ' ', '\0', '\u007f', '\u00a0'), fc.string())
        .map((parts) => parts.join('')),
      fc.array(fc.string({ unit: visible, minLength: 1 })),
    );
    fc.assert(
      fc.property(anything, (given) => {
        fc.pre(typeof given !== 'string' || !isWellFormed(given));
        const id = requestIdFor(given);
        expect(id).to.match(UUID_V4);
        expect(id).to.not.equal(requestIdFor(given));
      }),
      RUNS,
    );
  });
});
