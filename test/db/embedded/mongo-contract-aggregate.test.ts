import { expect } from 'chai';
import { type Collection, type Document, ObjectId, UUID } from 'mongodb';
import { describeOnMongo, refusal } from './mongo-contract.ts';

describeOnMongo('aggregation', (target) => {
  const [ada, bob] = [new ObjectId(), new ObjectId()];
  const device = new UUID();
  let items: Collection<Document>;
  before(async () => {
    items = target.db.collection('aggregated');
    await items.insertMany([
      { _id: 1 as never, user: ada, kind: 'in', n: 1, at: new Date(1000), device },
      { _id: 2 as never, user: bob, kind: 'in', n: 2, at: new Date(2000), device },
      { _id: 3 as never, user: ada, kind: 'out', n: 3, at: new Date(3000) },
      { _id: 4 as never, user: ada, kind: 'in', n: 4.5, at: new Date(4000), tags: ['x', 'y'] },
    ]);
  });
  const run = (...pipeline: Document[]) => items.aggregate(pipeline).toArray();

  it('filters, sorts, skips and limits', async () => {
    const found = await run({ $match: { kind: 'in' } }, { $sort: { n: -1 } }, { $skip: 1 }, { $limit: 1 });
    expect(found).to.deep.equal([{ _id: 2, user: bob, kind: 'in', n: 2, at: new Date(2000), device }]);
  });

  it('groups by ObjectIds with sums, averages and extremes', async () => {
    const group = {
      _id: '$user',
      count: { $sum: 1 },
      sum: { $sum: '$n' },
      avg: { $avg: '$n' },
      first: { $min: '$at' },
      last: { $max: '$at' },
    };
    expect(await run({ $group: group }, { $sort: { count: 1 } })).to.deep.equal([
      { _id: bob, count: 1, sum: 2, avg: 2, first: new Date(2000), last: new Date(2000) },
      { _id: ada, count: 3, sum: 8.5, avg: 8.5 / 3, first: new Date(1000), last: new Date(4000) },
    ]);
  });

  it('groups by several fields, by a UUID and by nothing', async () => {
    const kinds = await run(
      { $group: { _id: { user: '$user', kind: '$kind' }, n: { $sum: 1 } } },
      { $match: { n: 2 } },
    );
    expect(kinds).to.deep.equal([{ _id: { user: ada, kind: 'in' }, n: 2 }]);
    const devices = await run({ $group: { _id: '$device', n: { $sum: 1 } } }, { $sort: { _id: -1 } });
    expect(devices).to.deep.equal([
      { _id: device, n: 2 },
      { _id: null, n: 2 },
    ]);
    expect(await run({ $group: { _id: null, ids: { $push: '$_id' } } })).to.deep.equal([
      { _id: null, ids: [1, 2, 3, 4] },
    ]);
  });

  it('counts', async () => {
    expect(await run({ $match: { user: ada } }, { $count: 'total' })).to.deep.equal([{ total: 3 }]);
    expect(await run({ $match: { user: 'nobody' } }, { $count: 'total' })).to.deep.equal([]);
  });

  it('projects, adds and unwinds fields', async () => {
    expect(
      await run(
        { $match: { _id: 4 } },
        { $unwind: '$tags' },
        { $project: { _id: 0, tags: 1, twice: { $multiply: ['$n', 2] } } },
      ),
    ).to.deep.equal([
      { tags: 'x', twice: 9 },
      { tags: 'y', twice: 9 },
    ]);
    expect(
      await run(
        { $match: { _id: 1 } },
        { $addFields: { big: { $gt: ['$n', 2] } } },
        { $project: { user: 0, at: 0, device: 0 } },
      ),
    ).to.deep.equal([{ _id: 1, kind: 'in', n: 1, big: false }]);
  });

  it('gives large results through a cursor', async () => {
    const many = target.db.collection('aggregated_many');
    await many.insertMany(Array.from({ length: 3000 }, (_, n) => ({ n })));
    const found = await many
      .aggregate([{ $project: { _id: 0, n: 1 } }, { $sort: { n: -1 } }], { batchSize: 500 })
      .toArray();
    expect(found.map(({ n }) => n)).to.deep.equal(Array.from({ length: 3000 }, (_, at) => 2999 - at));
  });

  it('refuses expressions it does not know', async () => {
    await refusal(run({ $project: { x: { $around: ['$n', 2] } } }));
  });
});
