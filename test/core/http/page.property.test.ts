import { expect } from 'chai';
import fc from 'fast-check';
import { ValidationError } from '../../../src/core/errors/app-http-error.ts';
import { Cursors } from '../../../src/core/http/page.ts';

const RUNS = { numRuns: 200 };

describe('a cursor that a client made up', () => {
  const cursors = new Cursors('K7'.repeat(20));
  const good = cursors.encode('list', [1, 'a']);

  const base64 = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64url'));
  const spelled = fc.constantFrom(
    `${good}=`,
    `${good}==`,
    ` ${good}`,
    `${good}\n`,
    good.toUpperCase(),
    `${good}A`,
    good.slice(1),
  );
  const resigned = fc
    .tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.json())
    .map(([mac, payload]) => Buffer.concat([mac, Buffer.from(payload)]).toString('base64url'));

  it('is refused with 422, whatever it is, and never with another error', () => {
    const anything = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 600 }), base64, spelled, resigned);
    fc.assert(
      fc.property(anything, (cursor) => {
        let thrown: unknown;
        try {
          cursors.decode('list', cursor);
        } catch (error) {
          thrown = error;
        }
        expect(thrown).to.be.instanceOf(ValidationError);
        expect(thrown).to.have.property('status', 422);
      }),
      RUNS,
    );
  });
});
