import { expect } from 'chai';
import { type Collection, type Document, ObjectId } from 'mongodb';
import { describeOnMongo, refusal } from './mongo-contract.ts';

describeOnMongo('indexes and collections', (target) => {
  let items: Collection<Document>;
  beforeEach(() => {
    items = target.db.collection(new ObjectId().toHexString());
  });

  it('lists indexes, the one on _id first', async () => {
    await items.createIndex({ a: 1, b: -1 });
    await items.createIndex({ at: 1 }, { expireAfterSeconds: 3600, name: 'ttl' });
    const indexes = await items.indexes();
    expect(indexes.map(({ name }) => name)).to.deep.equal(['_id_', 'a_1_b_-1', 'ttl']);
    expect(indexes[2]).to.include({ expireAfterSeconds: 3600 });
  });

  it('makes an index that is there already only once', async () => {
    await items.createIndex({ a: 1 }, { unique: true });
    await items.createIndex({ a: 1 }, { unique: true });
    expect(await items.indexes()).to.have.length(2);
  });

  it('changes after how long documents expire, but not whether an index can say so', async () => {
    const ttl = (keyPattern: Document, expireAfterSeconds: number) =>
      target.db.command({ collMod: items.collectionName, index: { keyPattern, expireAfterSeconds } });
    await items.createIndex({ at: 1 }, { expireAfterSeconds: 3600 });
    await items.createIndex({ a: 1, b: 1 });
    expect((await refusal(items.createIndex({ at: 1 }, { expireAfterSeconds: 60 }))).code).to.equal(85);
    const changed = await ttl({ at: 1 }, 60);
    expect(changed).to.include({ ok: 1 });
    expect([changed['expireAfterSeconds_old'], changed['expireAfterSeconds_new']].map(Number)).to.deep.equal([
      3600, 60,
    ]);
    expect((await items.indexes())[1]).to.include({ name: 'at_1', expireAfterSeconds: 60 });
    await items.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    expect((await refusal(ttl({ nowhere: 1 }, 60))).code).to.equal(27);
    expect((await refusal(ttl({ a: 1, b: 1 }, 60))).code).to.equal(72);
    const nowhere = target.db.command({ collMod: 'nowhere', index: { keyPattern: { at: 1 }, expireAfterSeconds: 1 } });
    expect((await refusal(nowhere)).code).to.equal(26);
  });

  it('refuses another index of the same name or key', async () => {
    await items.createIndex({ a: 1 }, { name: 'x' });
    expect((await refusal(items.createIndex({ b: 1 }, { name: 'x' }))).code).to.equal(86);
    expect((await refusal(items.createIndex({ a: 1 }, { name: 'y' }))).code).to.equal(85);
  });

  it('keeps a unique index unique, on insert and on update', async () => {
    await items.createIndex({ a: 1, b: 1 }, { unique: true });
    await items.insertMany([
      { a: 1, b: 1 },
      { a: 1, b: 2 },
    ]);
    const error = await refusal(items.insertOne({ a: 1, b: 2 }));
    expect(error).to.include({ code: 11000 });
    expect(error['keyPattern']).to.deep.equal({ a: 1, b: 1 });
    expect(error['keyValue']).to.deep.equal({ a: 1, b: 2 });
    expect((await refusal(items.updateOne({ b: 1 }, { $set: { b: 2 } }))).code).to.equal(11000);
    expect(await items.countDocuments({ b: 1 })).to.equal(1);
  });

  it('lets only one document lack the field of a unique index', async () => {
    await items.createIndex({ a: 1 }, { unique: true });
    await items.insertOne({});
    expect((await refusal(items.insertOne({ a: null }))).code).to.equal(11000);
  });

  it('refuses a unique index over documents that are not', async () => {
    await items.insertMany([{ a: 1 }, { a: 1 }]);
    expect((await refusal(items.createIndex({ a: 1 }, { unique: true }))).code).to.equal(11000);
    expect(await items.indexes()).to.have.length(1);
  });

  it('drops indexes, but not the one on _id', async () => {
    await items.createIndex({ a: 1 });
    await items.dropIndex('a_1');
    expect(await items.indexes()).to.have.length(1);
    expect((await refusal(items.dropIndex('a_1'))).code).to.equal(27);
    expect((await refusal(items.dropIndex('_id_'))).code).to.equal(72);
  });

  it('gives the same answers with an index as without', async () => {
    const documents = Array.from({ length: 300 }, (_, n) => ({
      _id: n as never,
      user: n % 7 === 0 ? null : n % 5,
      at: new Date((n * 7919) % 1000),
      tags: n % 3 === 0 ? [n % 4, n % 6] : n % 4,
      ...(n % 11 === 0 ? {} : { deep: { v: n % 9 } }),
    }));
    const filters = [
      { user: 3 },
      { user: null },
      { user: { $in: [1, 2] }, at: { $gt: new Date(300), $lt: new Date(700) } },
      { user: 1, $or: [{ at: { $lt: new Date(500) } }, { at: new Date(500), _id: { $lt: 100 as never } }] },
      { tags: 2 },
      { tags: { $gt: 1, $lt: 3 } },
      { tags: [0, 0] },
      { 'deep.v': { $gte: 4 } },
      { 'deep.v': null, user: { $ne: 2 } },
      { user: { $gte: 2 } },
      { $and: [{ user: 4 }, { at: { $lte: new Date(400) } }] },
    ];
    const indexed = target.db.collection(new ObjectId().toHexString());
    await indexed.createIndexes([
      { key: { user: 1, at: -1, _id: -1 } },
      { key: { tags: 1 } },
      { key: { 'deep.v': -1 } },
      { key: { at: 1 } },
    ]);
    await items.insertMany(documents);
    await indexed.insertMany(documents);
    const orders = [
      { at: -1, _id: -1 },
      { at: 1, _id: 1 },
      { user: 1, at: -1, _id: -1 },
      { tags: 1, _id: 1 },
    ] as const;
    for (const filter of filters) {
      for (const sort of orders) {
        const ask = (from: Collection<Document>) =>
          from.find(filter as Document, { sort: sort as never, limit: 40 }).toArray();
        expect(await ask(indexed), JSON.stringify({ filter, sort })).to.deep.equal(await ask(items));
      }
    }
  });

  it('lists and drops collections and databases', async () => {
    await items.insertOne({});
    expect(await target.db.listCollections({ name: items.collectionName }).toArray()).to.have.length(1);
    const { databases } = await target.client.db().admin().listDatabases();
    expect(databases.map(({ name }) => name)).to.include(target.db.databaseName);
    await items.drop();
    expect(await target.db.listCollections({ name: items.collectionName }).toArray()).to.have.length(0);
    const other = target.client.db(`${target.db.databaseName}_2`);
    await other.collection('c').insertOne({});
    await other.dropDatabase();
    expect(await other.listCollections().toArray()).to.deep.equal([]);
  });

  it('refuses commands, fields and stages it does not know', async () => {
    expect((await refusal(target.db.command({ compactEverything: 1 }))).code).to.equal(59);
    expect((await refusal(target.db.command({ find: 'a', filtre: {} }))).code).to.equal(40415);
    expect((await refusal(items.aggregate([{ $around: {} }]).toArray())).code).to.equal(40324);
  });
});
