import { Binary, Double, Int32, Long, ObjectId, Timestamp } from 'bson';
import { expect } from 'chai';
import fc from 'fast-check';
import { encodeKey, rankOf } from '../../../src/db/embedded/mongo/key-encoding.ts';
import { sortKey } from '../../../src/db/embedded/mongo/sort.ts';

type Exact = number | bigint;

/** A number in some BSON type, with the value it stands for. JavaScript compares bigints and numbers exactly. */
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const nearDouble = fc
  .tuple(fc.integer({ min: 52, max: 62 }), fc.integer({ min: -600, max: 600 }), fc.boolean())
  .map(([power, off, negative]) => (2n ** BigInt(power) + BigInt(off)) * (negative ? -1n : 1n));
const numbers: fc.Arbitrary<[value: unknown, exact: Exact]> = fc.oneof(
  fc.integer().map((n): [unknown, Exact] => [new Int32(n), n]),
  fc.double({ noNaN: true }).map((n): [unknown, Exact] => [new Double(n), n]),
  fc.double({ noNaN: true }).map((n): [unknown, Exact] => [n, n]),
  fc.oneof(int64, nearDouble).map((n): [unknown, Exact] => [Long.fromBigInt(n), n]),
  nearDouble.map((n): [unknown, Exact] => [new Double(Number(n)), Number(n)]),
);

/** Any character but half of a surrogate pair, which UTF-8 does not have. */
const codePoint = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

const sign = (a: Exact | string, b: Exact | string): number => (a < b ? -1 : a > b ? 1 : 0);
const compareKeys = (a: unknown, b: unknown): number => Buffer.compare(encodeKey([a]), encodeKey([b]));

const scalars = fc.oneof(
  numbers.map(([value]) => value),
  fc.string(),
  fc.string({ unit: fc.constantFrom('\0', '\u0001', 'a', 'ÿ', '🌿') }),
  fc.constant(null),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((id) => new ObjectId(id)),
  fc.uint8Array({ maxLength: 5 }).map((bytes) => new Binary(bytes)),
  fc.tuple(fc.nat(), fc.nat()).map(([t, i]) => new Timestamp({ t, i })),
);
const values = fc.oneof(
  scalars,
  fc.array(scalars, { maxLength: 3 }),
  fc.dictionary(fc.string({ maxLength: 3 }), scalars, { maxKeys: 3, noNullPrototype: true }),
);

describe('index keys', () => {
  it('order numbers by their exact value, whatever their types', () => {
    fc.assert(
      fc.property(numbers, numbers, ([a, exactA], [b, exactB]) => {
        expect(compareKeys(a, b)).to.equal(sign(exactA, exactB));
      }),
      { numRuns: 2000 },
    );
  });

  it('order strings by their UTF-8 bytes', () => {
    const text = fc.oneof(
      fc.string({ unit: codePoint, maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('\0', '\u0001', 'a', 'é', '\ud83c\udf3f') }),
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(compareKeys(a, b)).to.equal(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it('order dates and ObjectIds', () => {
    const date = fc.date({ noInvalidDate: true });
    fc.assert(
      fc.property(date, date, (a, b) => {
        expect(compareKeys(a, b)).to.equal(sign(a.getTime(), b.getTime()));
      }),
    );
    const id = fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes));
    fc.assert(
      fc.property(id, id, (a, b) => {
        expect(compareKeys(a, b)).to.equal(sign(a.toHexString(), b.toHexString()));
      }),
    );
  });

  it('order types before values', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [left, right] = [rankOf(a), rankOf(b)];
        if (left !== right) expect(compareKeys(a, b)).to.equal(sign(left, right));
      }),
    );
  });

  it('order compound keys field by field, each in its direction', () => {
    const direction = fc.constantFrom(1, -1);
    fc.assert(
      fc.property(values, values, values, values, direction, direction, (a1, a2, b1, b2, first, second) => {
        const expected = first * compareKeys(a1, b1) || second * compareKeys(a2, b2);
        expect(Buffer.compare(encodeKey([a1, a2], [first, second]), encodeKey([b1, b2], [first, second]))).to.equal(
          expected,
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('keep all keys with a prefix between the prefix and its end', () => {
    const direction = fc.constantFrom(1, -1);
    fc.assert(
      fc.property(values, values, values, direction, direction, (prefix, other, rest, first, second) => {
        const start = encodeKey([prefix], [first]);
        const key = encodeKey([other, rest], [first, second]);
        const isInside =
          Buffer.compare(key, start) >= 0 && Buffer.compare(key, Buffer.concat([start, Buffer.from([0xff])])) < 0;
        expect(isInside).to.equal(compareKeys(prefix, other) === 0);
      }),
    );
  });

  it('sort documents by the least element of an array, or the greatest', () => {
    const up = sortKey({ a: [3, 1, 2] }, [['a', 1]]);
    const down = sortKey({ a: [3, 1, 2] }, [['a', -1]]);
    expect(up).to.deep.equal(encodeKey([1], [1]));
    expect(down).to.deep.equal(encodeKey([3], [-1]));
    expect(Buffer.compare(sortKey({ a: [] }, [['a', 1]]), sortKey({}, [['a', 1]]))).to.equal(-1);
  });
});
