import { Binary, Long, ObjectId } from 'bson';
import { expect } from 'chai';
import { mongoStatement } from '../../../src/core/telemetry/mongo-statement.ts';

describe('the statement of a Mongo span', () => {
  it('shows the keys of a command and none of its values', () => {
    const filter = { user_id: 'u-1', $or: [{ at: { $lt: new Date(0) } }, { _id: new ObjectId() }] };
    expect(mongoStatement({ find: 'events', filter, limit: Long.fromNumber(20), session: undefined })).to.equal(
      '{"find":"?","filter":{"user_id":"?","$or":[{"at":{"$lt":"?"}},{"_id":"?"}]},"limit":"?","session":"?"}',
    );
  });

  it('is short however much is written', () => {
    const documents = {
      serializedDocumentsLength: 1_000_000,
      documents: Array.from({ length: 1_000 }, (_, n) => ({ n })),
      chunks: [Buffer.alloc(1_000_000)],
    };
    expect(mongoStatement({ insert: 'events', documents, ordered: true })).to.equal(
      '{"insert":"?","documents":"?","ordered":"?"}',
    );
    const many = Array.from({ length: 10_000 }, () => ({ q: new Binary(Buffer.alloc(100)) }));
    expect(mongoStatement({ update: 'events', updates: many }).length).to.be.at.most(2_049);
  });

  it('ends where a command contains itself', () => {
    const loop: Record<string, unknown> = { find: 'events' };
    loop['filter'] = loop;
    expect(mongoStatement(loop)).to.equal('{"find":"?","filter":"?"}');
  });
});
