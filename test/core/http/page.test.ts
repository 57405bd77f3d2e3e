import { expect } from 'chai';
import fc from 'fast-check';
import { ValidationError } from '../../../src/core/errors/app-http-error.ts';
import { Cursors } from '../../../src/core/http/page.ts';

const place = fc.array(fc.oneof(fc.integer(), fc.string()), { minLength: 1, maxLength: 4 });

describe('a cursor', () => {
  const cursors = new Cursors('K7'.repeat(20));
  const refusal = (scope: string, cursor: string) => {
    try {
      return cursors.decode(scope, cursor);
    } catch (error) {
      expect(error).to.be.instanceOf(ValidationError);
      return (error as ValidationError).errors;
    }
  };
  const REFUSED = [{ field: '/query/cursor', message: 'is not a cursor of this list', rule: 'cursor' }];

  it('leads back to its place, and is safe in a URL', () => {
    fc.assert(
      fc.property(fc.string(), place, (scope, values) => {
        const cursor = cursors.encode(scope, values);
        expect(cursor).to.match(/^[\w-]+$/);
        expect(cursors.decode(scope, cursor)).to.deep.equal(values);
      }),
    );
  });

  it('is good for its own list alone', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), place, (scope, other, values) => {
        fc.pre(scope !== other);
        expect(refusal(other, cursors.encode(scope, values))).to.deep.equal(REFUSED);
      }),
    );
  });

  it('is none after any change', () => {
    fc.assert(
      fc.property(place, fc.nat(), fc.base64String({ minLength: 1, maxLength: 4 }), (values, at, change) => {
        const cursor = cursors.encode('list', values);
        const position = at % cursor.length;
        const altered = cursor.slice(0, position) + change + cursor.slice(position + change.length);
        fc.pre(altered !== cursor);
        expect(refusal('list', altered)).to.deep.equal(REFUSED);
      }),
    );
  });

  it('is none of another service', () => {
    const foreign = new Cursors('Q3'.repeat(20)).encode('list', [1]);
    expect(refusal('list', foreign)).to.deep.equal(REFUSED);
  });

  for (const text of ['', 'a', 'AAAA', 'A'.repeat(22), '=', ' ', '\u0000', '[1]', 'é'.repeat(30)]) {
    it(`is not ${JSON.stringify(text).slice(0, 30)}`, () => expect(refusal('list', text)).to.deep.equal(REFUSED));
  }

  it('does not confuse a list and whose it is with another list', () => {
    expect(refusal('a', cursors.encode('a\0', [1]))).to.deep.equal(REFUSED);
    expect(refusal('activity:1', cursors.encode('activity:12', [1]))).to.deep.equal(REFUSED);
  });

  it('sign with the first of several keys, and take those of the others until they are gone', () => {
    let keys = [Buffer.from('old'.repeat(12))];
    const rotating = new Cursors(() => keys);
    const cursor = rotating.encode('list', [7]);
    keys = [Buffer.from('new'.repeat(12)), ...keys];
    expect(rotating.decode('list', cursor)).to.deep.equal([7]);
    expect(rotating.encode('list', [7])).not.to.equal(cursor);
    keys = keys.slice(0, 1);
    expect(() => rotating.decode('list', cursor)).to.throw('1 problem with the request');
  });
});
