import { expect } from 'chai';
import { type Collection, type Document, type Filter, Long, ObjectId } from 'mongodb';
import { describeOnMongo, refusal } from './mongo-contract.ts';

describeOnMongo('reading documents', (target) => {
  let items: Collection<Document>;
  before(async () => {
    items = target.db.collection('read');
    await items.insertMany([
      { _id: 1 as never, name: 'ada', age: 30, tags: ['x', 'y'], home: { city: 'a' }, seen: null },
      {
        _id: 2 as never,
        name: 'bob',
        age: 25,
        tags: ['y'],
        home: { city: 'b' },
        rooms: [
          { n: 1, s: 'a' },
          { n: 2, s: 'b' },
        ],
      },
      { _id: 3 as never, name: 'cyd', age: 35, tags: [], home: { city: 'c' }, seen: new Date(0) },
      { _id: 4 as never, name: 'dan', age: 25, rooms: [{ n: 5, s: 'b' }] },
    ]);
  });
  const ids = async (filter: Filter<Document>) =>
    (await items.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);

  const filters: Array<[title: string, filter: Filter<Document>, expected: number[]]> = [
    ['equality', { name: 'bob' }, [2]],
    ['equality of a nested field', { 'home.city': 'c' }, [3]],
    ['equality of a whole document', { home: { city: 'a' } }, [1]],
    ['an element of an array', { tags: 'y' }, [1, 2]],
    ['a whole array', { tags: ['x', 'y'] }, [1]],
    ['an empty array', { tags: [] }, [3]],
    ['a field of documents in an array', { 'rooms.n': 2 }, [2]],
    ['an element by its number', { 'rooms.0.s': 'b' }, [4]],
    ['null, which is also what is missing', { seen: null }, [1, 2, 4]],
    ['$exists', { seen: { $exists: true } }, [1, 3]],
    ['not $exists', { rooms: { $exists: false } }, [1, 3]],
    ['a range', { age: { $gt: 25, $lte: 35 } }, [1, 3]],
    ['a range over another type', { name: { $gt: 5 } }, []],
    ['$in', { age: { $in: [25, 30] } }, [1, 2, 4]],
    ['$in with null', { tags: { $in: [null, 'x'] } }, [1, 4]],
    ['$nin', { age: { $nin: [25] } }, [1, 3]],
    ['$ne', { tags: { $ne: 'y' } }, [3, 4]],
    ['$not', { age: { $not: { $gt: 25 } } }, [2, 4]],
    ['$or', { $or: [{ name: 'ada' }, { age: 35 }] }, [1, 3]],
    ['$and', { $and: [{ age: 25 }, { name: 'dan' }] }, [4]],
    ['$nor', { $nor: [{ age: 25 }, { name: 'ada' }] }, [3]],
    ['$size', { tags: { $size: 2 } }, [1]],
    ['$all', { tags: { $all: ['y', 'x'] } }, [1]],
    ['$elemMatch on documents', { rooms: { $elemMatch: { n: 2, s: 'b' } } }, [2]],
    ['two conditions that one element need not fulfil both', { 'rooms.n': 1, 'rooms.s': 'b' }, [2]],
    ['$elemMatch on values', { tags: { $elemMatch: { $gt: 'x' } } }, [1, 2]],
    ['a pattern', { name: /^[ab]/ }, [1, 2]],
    ['a pattern without regard to case', { name: { $regex: 'ADA', $options: 'i' } }, [1]],
    ['a pattern in $in', { name: { $in: [/^c/, 'dan'] } }, [3, 4]],
    ['$type', { seen: { $type: 'date' } }, [3]],
    ['a 64-bit integer that equals a 32-bit one', { age: Long.fromNumber(35) }, [3]],
    ['a date', { seen: { $lt: new Date(1) } }, [3]],
    ['everything', {}, [1, 2, 3, 4]],
  ];
  for (const [title, filter, expected] of filters) {
    it(`finds by ${title}`, async () => {
      expect(await ids(filter)).to.deep.equal(expected);
    });
  }

  it('sorts by several fields, skips and limits', async () => {
    const found = await items.find().sort({ age: 1, name: -1 }).skip(1).limit(2).toArray();
    expect(found.map(({ name }) => name)).to.deep.equal(['bob', 'ada']);
  });

  it('sorts missing fields first and arrays by their least element', async () => {
    expect((await items.find().sort({ 'rooms.n': 1, _id: 1 }).toArray()).map(({ _id }) => _id)).to.deep.equal([
      1, 3, 2, 4,
    ]);
    expect((await items.find().sort({ 'rooms.n': -1, _id: 1 }).toArray()).map(({ _id }) => _id)).to.deep.equal([
      4, 2, 1, 3,
    ]);
  });

  it('gives only the fields asked for', async () => {
    const one = (projection: Document) => items.findOne({ _id: 2 as never }, { projection });
    expect(await one({ name: 1 })).to.deep.equal({ _id: 2, name: 'bob' });
    expect(await one({ _id: 0, 'home.city': 1, 'rooms.n': 1 })).to.deep.equal({
      home: { city: 'b' },
      rooms: [{ n: 1 }, { n: 2 }],
    });
    expect(await one({ home: 0, rooms: 0, tags: 0 })).to.deep.equal({ _id: 2, name: 'bob', age: 25 });
    expect(await one({ _id: 1 })).to.deep.equal({ _id: 2 });
  });

  it('counts, with and without a filter', async () => {
    expect(await items.estimatedDocumentCount()).to.equal(4);
    expect(await items.countDocuments({ age: 25 })).to.equal(2);
    expect(await items.countDocuments({}, { skip: 1, limit: 2 })).to.equal(2);
  });

  it('gives the distinct values of a field, arrays by their elements', async () => {
    expect((await items.distinct('tags')).sort()).to.deep.equal(['x', 'y']);
    expect((await items.distinct('age', { name: { $ne: 'cyd' } })).sort()).to.deep.equal([25, 30]);
  });

  it('finds nothing in a collection that is not there', async () => {
    expect(await target.db.collection('none').find().toArray()).to.deep.equal([]);
    expect(await target.db.collection('none').countDocuments()).to.equal(0);
  });

  it('refuses operators it does not know', async () => {
    expect((await refusal(items.find({ age: { $around: 3 } } as never).toArray())).code).to.equal(2);
    expect((await refusal(items.find({ $around: 3 } as never).toArray())).code).to.equal(2);
  });

  describe('cursors', () => {
    const COUNT = 10_000;
    let many: Collection<Document>;
    before(async () => {
      many = target.db.collection('many');
      await many.insertMany(Array.from({ length: COUNT }, (_, n) => ({ _id: n as never, n: COUNT - n })));
    });

    it('give more documents than fit into one batch, each once', async () => {
      target.sent();
      const seen = new Set<unknown>();
      for await (const { _id } of many.find({}, { batchSize: 1000 })) seen.add(_id);
      expect(seen.size).to.equal(COUNT);
      expect(target.sent().filter((name) => name === 'getMore')).to.have.length.at.least(9);
    });

    it('keep the order over the batches', async () => {
      const found = await many
        .find({ n: { $lte: 3000 } })
        .sort({ n: 1 })
        .batchSize(700)
        .toArray();
      expect(found.map(({ n }) => n)).to.deep.equal(Array.from({ length: 3000 }, (_, at) => at + 1));
    });

    it('end when they are closed early', async () => {
      const cursor = many.find({}, { batchSize: 10 });
      await cursor.next();
      const { id } = cursor;
      await cursor.close();
      const more = target.db.command({ getMore: id, collection: 'many' });
      expect((await refusal(more)).code).to.equal(43);
    });
  });

  it('refuses a cursor that never was', async () => {
    const id = Long.fromString(`${Number.parseInt(new ObjectId().toHexString().slice(0, 10), 16)}`);
    expect((await refusal(target.db.command({ getMore: id, collection: 'many' }))).code).to.equal(43);
  });
});
