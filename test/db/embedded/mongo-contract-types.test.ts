import { expect } from 'chai';
import {
  Binary,
  BSON,
  BSONRegExp,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import { describeOnMongo } from './mongo-contract.ts';

const VALUES: Record<string, unknown> = {
  objectId: new ObjectId('65a000000000000000000001'),
  date: new Date('2026-01-02T03:04:05.678Z'),
  dateBeforeEpoch: new Date(-1),
  int: new Int32(-7),
  long: Long.fromString('-9007199254740993'),
  largest: Long.MAX_VALUE,
  double: new Double(0.1),
  wholeDouble: new Double(5),
  negativeZero: new Double(-0),
  decimal: Decimal128.fromString('1.10'),
  binary: new Binary(Buffer.from([0, 1, 255])),
  userBinary: new Binary(Buffer.from('x'), 128),
  uuid: new UUID('0189c2f5-4d1a-7000-8000-000000000001'),
  regex: new BSONRegExp('^a.b$', 'im'),
  timestamp: new Timestamp({ t: 5, i: 6 }),
  text: 'grün 🌿 a\u0000b',
  none: null,
  yes: true,
  nested: { deep: [{ list: [1, [2, {}]] }, []], empty: {} },
  min: new MinKey(),
  max: new MaxKey(),
};

/** From the least to the greatest, as MongoDB orders types and values. */
const ASCENDING: unknown[] = [
  new MinKey(),
  null,
  new Double(Number.NaN),
  new Double(Number.NEGATIVE_INFINITY),
  Long.MIN_VALUE,
  new Int32(-5),
  new Double(-4.5),
  new Int32(0),
  new Double(0.5),
  Long.fromNumber(1),
  Long.fromString('9007199254740992'),
  Long.fromString('9007199254740993'),
  Long.MAX_VALUE,
  new Double(2 ** 63),
  new Double(Number.POSITIVE_INFINITY),
  '',
  'B',
  'a',
  'a\u0000',
  'ab',
  'ä',
  { a: 1 },
  { a: 2 },
  { b: 1 },
  new Binary(Buffer.from([9])),
  new Binary(Buffer.from([1, 1])),
  new UUID('0189c2f5-4d1a-7000-8000-000000000001'),
  new UUID('0189c2f5-4d1a-7000-8000-000000000002'),
  new ObjectId('65a000000000000000000001'),
  new ObjectId('65a0000000000000000000ff'),
  false,
  true,
  new Date(-1),
  new Date(1),
  new Timestamp({ t: 1, i: 1 }),
  new BSONRegExp('a'),
  new MaxKey(),
];

describeOnMongo('BSON types', (target) => {
  const raw = { promoteValues: false, bsonRegExp: true } as const;

  it('come back byte for byte', async () => {
    const items = target.db.collection('exact');
    const document = { _id: new ObjectId(), ...VALUES };
    await items.insertOne(document);
    const [bytes] = await items.find<Document>({}, { raw: true }).toArray();
    expect(Buffer.from(bytes as never)).to.deep.equal(Buffer.from(BSON.serialize(document)));
  });

  it('come back byte for byte after an update of another field', async () => {
    const items = target.db.collection('updated');
    const document = { _id: new ObjectId(), ...VALUES };
    await items.insertOne(document);
    await items.updateOne({}, { $set: { zz: 1 } });
    const [bytes] = await items.find<Document>({}, { raw: true }).toArray();
    expect(Buffer.from(bytes as never)).to.deep.equal(Buffer.from(BSON.serialize({ ...document, zz: 1 })));
  });

  it('come back byte for byte in a projection', async () => {
    const items = target.db.collection('projected');
    await items.insertOne({ _id: 1 as never, ...VALUES, other: 1 });
    const [bytes] = await items.find<Document>({}, { raw: true, projection: { other: 0, _id: 0 } }).toArray();
    expect(Buffer.from(bytes as never)).to.deep.equal(Buffer.from(BSON.serialize(VALUES)));
  });

  for (const [name, value] of Object.entries(VALUES)) {
    if (value instanceof Decimal128 || value instanceof BSONRegExp) continue;
    it(`are found by equality: ${name}`, async () => {
      const items = target.db.collection(`equal_${name}`);
      await items.insertMany(
        Object.values(VALUES)
          .map((other) => ({ value: other, same: other === value }))
          .filter(({ value: other }) => !(other instanceof Decimal128)),
      );
      const found = await items.find({ value: { $eq: value as never } }).toArray();
      expect(found.map(({ same }) => same)).to.include(true);
      expect(found.filter(({ same }) => !same).length, 'others').to.equal(0);
    });
  }

  for (const indexed of [false, true]) {
    const how = indexed ? 'with an index' : 'without an index';
    it(`sort in the order of MongoDB ${how}`, async () => {
      const items = target.db.collection(`sorted_${indexed}`);
      if (indexed) await items.createIndex({ value: 1 });
      await items.insertMany(ASCENDING.map((value, rank) => ({ value, rank })).reverse());
      const up = await items.find({}, raw).sort({ value: 1 }).toArray();
      expect(up.map(({ rank }) => Number(rank))).to.deep.equal(ASCENDING.keys().toArray());
      const down = await items.find({}, raw).sort({ value: -1 }).toArray();
      expect(down.map(({ rank }) => Number(rank))).to.deep.equal(ASCENDING.keys().toArray().reverse());
    });
  }

  it('compare within one type only', async () => {
    const items = target.db.collection('sorted_true');
    const ranks = async (condition: Document) =>
      (await items.find({ value: condition }).sort({ value: 1 }).toArray()).map(({ rank }) => rank);
    expect(await ranks({ $gt: Long.fromString('9007199254740992') })).to.deep.equal([11, 12, 13, 14]);
    expect(await ranks({ $lt: 0 })).to.deep.equal([3, 4, 5, 6]);
    expect(await ranks({ $gte: 'ab' })).to.deep.equal([19, 20]);
    expect(await ranks({ $lte: new Date(0) })).to.deep.equal([32]);
    expect(await ranks({ $gt: new ObjectId('65a000000000000000000001') })).to.deep.equal([29]);
  });
});
