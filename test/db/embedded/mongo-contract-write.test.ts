import { expect } from 'chai';
import { type Collection, type Document, Double, Long, MongoBulkWriteError, ObjectId } from 'mongodb';
import { eventually } from '../../support/eventually.ts';
import { describeOnMongo, refusal } from './mongo-contract.ts';

describeOnMongo('writing documents', (target) => {
  let items: Collection<Document>;
  beforeEach(() => {
    items = target.db.collection(new ObjectId().toHexString());
  });

  describe('insert', () => {
    it('stores what it is given, with an id made by the driver', async () => {
      const { insertedId } = await items.insertOne({ name: 'a' });
      expect(await items.findOne({})).to.deep.equal({ _id: insertedId, name: 'a' });
    });

    it('refuses a second document with the same id and names the key', async () => {
      await items.insertOne({ _id: 'a' as never });
      const error = await refusal(items.insertOne({ _id: 'a' as never }));
      expect(error).to.include({ code: 11000 });
      expect(error.message).to.match(/E11000 duplicate key/);
      expect(error['keyPattern']).to.deep.equal({ _id: 1 });
      expect(error['keyValue']).to.deep.equal({ _id: 'a' });
    });

    const withDuplicate = [1, 2, 1, 3].map((_id) => ({ _id: _id as never }));
    it('stops at the first refused document when ordered', async () => {
      const error = await items.insertMany(withDuplicate).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(MongoBulkWriteError);
      expect((error as MongoBulkWriteError).insertedCount).to.equal(2);
      expect(await items.countDocuments()).to.equal(2);
    });

    it('goes on after a refused document when unordered', async () => {
      const error = await items.insertMany(withDuplicate, { ordered: false }).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(MongoBulkWriteError);
      expect((error as MongoBulkWriteError).insertedCount).to.equal(3);
      expect([(error as MongoBulkWriteError).writeErrors].flat().map(({ index }) => index)).to.deep.equal([2]);
      expect(await items.countDocuments()).to.equal(3);
    });

    it('refuses a document of more than 16 MB', async () => {
      const error = await items.insertOne({ text: 'x'.repeat(16 * 1024 * 1024) }).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(Error);
      expect(await items.countDocuments()).to.equal(0);
    });

    it('does an unacknowledged write', async () => {
      await items.insertOne({ _id: 1 as never }, { writeConcern: { w: 0 } });
      await eventually(async () => (await items.countDocuments()) === 1);
    });
  });

  describe('update', () => {
    beforeEach(() => items.insertMany([1, 2, 3].map((n) => ({ _id: n as never, n, tags: ['a'], at: { city: 'x' } }))));
    const first = () => items.findOne({ _id: 1 as never });

    it('changes the first document that matches, or all', async () => {
      expect(await items.updateOne({ n: { $gt: 0 } }, { $set: { seen: true } })).to.include({
        matchedCount: 1,
        modifiedCount: 1,
      });
      expect(await items.updateMany({}, { $set: { seen: true } })).to.include({ matchedCount: 3, modifiedCount: 2 });
      expect(await items.countDocuments({ seen: true })).to.equal(3);
    });

    it('sets and removes nested fields', async () => {
      await items.updateOne(
        { _id: 1 as never },
        { $set: { 'at.zip': '1', 'new.deep': 2, 'tags.1': 'b' }, $unset: { 'at.city': '' } },
      );
      expect(await first()).to.deep.equal({ _id: 1, n: 1, tags: ['a', 'b'], at: { zip: '1' }, new: { deep: 2 } });
    });

    it('adds, multiplies and takes the least and the greatest', async () => {
      await items.updateOne(
        { _id: 1 as never },
        { $inc: { n: 2, fresh: 1 }, $mul: { none: 5 }, $min: { low: 3 }, $max: { high: 3 } },
      );
      await items.updateOne({ _id: 1 as never }, { $mul: { n: 4 }, $min: { low: 2 }, $max: { high: 2 } });
      expect(await first()).to.include({ n: 12, fresh: 1, none: 0, low: 2, high: 3 });
    });

    it('keeps the numeric type when it adds', async () => {
      await items.updateOne(
        { _id: 1 as never },
        { $set: { n: Long.fromString('9007199254740993'), f: new Double(1) } },
      );
      await items.updateOne({ _id: 1 as never }, { $inc: { n: 2, f: 1 } });
      const document = await items.findOne({ _id: 1 as never }, { promoteValues: false });
      expect(document?.['n']).to.deep.equal(Long.fromString('9007199254740995'));
      expect(document?.['f']).to.deep.equal(new Double(2));
    });

    it('appends to arrays and removes from them', async () => {
      await items.updateOne({ _id: 1 as never }, { $push: { tags: { $each: ['b', 'c'] } } as never });
      await items.updateOne({ _id: 1 as never }, { $addToSet: { tags: 'b' } as never });
      await items.updateOne({ _id: 1 as never }, { $pull: { tags: 'a' } as never });
      expect(await first()).to.have.deep.property('tags', ['b', 'c']);
      await items.updateOne({ _id: 1 as never }, { $pop: { tags: 1 } as never });
      expect(await first()).to.have.deep.property('tags', ['b']);
    });

    it('replaces a document and keeps its id', async () => {
      await items.replaceOne({ n: 2 }, { other: 1 });
      expect(await items.findOne({ _id: 2 as never })).to.deep.equal({ _id: 2, other: 1 });
    });

    it('inserts when nothing matches and it is an upsert', async () => {
      const { upsertedId } = await items.updateOne(
        { kind: 'k', n: { $gt: 9 } },
        { $set: { a: 1 }, $setOnInsert: { b: 2 } },
        { upsert: true },
      );
      expect(upsertedId).to.be.instanceOf(ObjectId);
      expect(await items.findOne({ kind: 'k' })).to.deep.equal({ _id: upsertedId, kind: 'k', a: 1, b: 2 });
      await items.updateOne({ kind: 'k' }, { $setOnInsert: { b: 3 } }, { upsert: true });
      expect(await items.findOne({ kind: 'k' })).to.include({ b: 2 });
    });

    it('refuses to change an id', async () => {
      expect(await refusal(items.updateOne({ n: 1 }, { $set: { _id: 9 as never } }))).to.include({ code: 66 });
    });

    it('refuses a path through a value that is no document', async () => {
      expect((await refusal(items.updateOne({ n: 1 }, { $set: { 'n.x': 1 } }))).code).to.equal(28);
    });

    it('refuses two changes of one path', async () => {
      expect((await refusal(items.updateOne({ n: 1 }, { $set: { a: 1 }, $inc: { a: 1 } }))).code).to.equal(40);
    });
  });

  describe('delete', () => {
    it('removes the first document that matches, or all', async () => {
      await items.insertMany([1, 2, 3, 4].map((n) => ({ n })));
      expect(await items.deleteOne({ n: { $gt: 1 } })).to.include({ deletedCount: 1 });
      expect(await items.deleteMany({ n: { $gte: 3 } })).to.include({ deletedCount: 2 });
      expect(await items.distinct('n')).to.deep.equal([1]);
    });
  });

  describe('findAndModify', () => {
    beforeEach(() => items.insertMany([1, 2, 3].map((n) => ({ _id: n as never, n }))));

    it('gives the document as it was, or as it is', async () => {
      expect(await items.findOneAndUpdate({ n: 1 }, { $inc: { n: 10 } })).to.deep.equal({ _id: 1, n: 1 });
      expect(await items.findOneAndUpdate({ n: 11 }, { $inc: { n: 10 } }, { returnDocument: 'after' })).to.deep.equal({
        _id: 1,
        n: 21,
      });
      expect(await items.findOneAndUpdate({ n: 99 }, { $inc: { n: 1 } })).to.equal(null);
    });

    it('takes the first in the order asked for', async () => {
      expect(await items.findOneAndDelete({}, { sort: { n: -1 }, projection: { n: 1, _id: 0 } })).to.deep.equal({
        n: 3,
      });
      expect(await items.countDocuments()).to.equal(2);
    });

    it('inserts when nothing matches and it is an upsert', async () => {
      const options = { upsert: true, returnDocument: 'after' } as const;
      expect(await items.findOneAndReplace({ _id: 7 as never }, { n: 7 }, options)).to.deep.equal({ _id: 7, n: 7 });
    });
  });
});
