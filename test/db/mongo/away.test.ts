import { expect } from 'chai';
import { type BulkWriteResult, MongoBulkWriteError } from 'mongodb';
import { createMongo, type Mongo } from '../../../src/db/mongo/client.ts';
import { isMongoUnavailable } from '../../../src/db/mongo/unavailable.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestMongo, type TestMongo } from '../../support/test-mongo.ts';

describe('a Mongo that cannot be reached', () => {
  let server: TestMongo;
  let mongo: Mongo;
  beforeEach(async () => {
    server = await startTestMongo();
    mongo = createMongo(server.url('away'), 'away', 'okapi-test', []);
  });
  afterEach(async () => {
    await mongo.close();
    await server.stop();
  });

  const count = () => mongo.db.collection('things').countDocuments();
  const reasonOf = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('It was there'),
      (error: unknown) => error,
    );
  const faults: Record<string, { away(): Promise<void>; back(): Promise<void> }> = {
    'is gone': { away: () => server.kill(), back: () => server.restart() },
    hangs: { away: async () => server.signal('SIGSTOP'), back: async () => server.signal('SIGCONT') },
  };

  for (const [how, { away, back }] of Object.entries(faults)) {
    it(`since it ${how} when it is asked for the first time, is found by a ping once it is there`, async () => {
      await away();
      for (const ask of [count, count, () => mongo.ping(2_000), () => mongo.ping(100)]) {
        expect(isMongoUnavailable(await reasonOf(ask()))).to.equal(true);
      }
      await back();
      await eventually(async () => {
        await mongo.ping(2_000);
        return true;
      });
      expect(await count()).to.equal(0);
    });

    it(`since it ${how} later, is told from one that refuses, whatever the driver calls it`, async () => {
      await mongo.ping(2_000);
      await away();
      const asked = [mongo.ping(2_000), mongo.ping(500), mongo.ping(100), count(), count()];
      const reasons = await Promise.all(asked.map(reasonOf));
      expect(reasons.filter((reason) => !isMongoUnavailable(reason))).to.deep.equal([]);
      await back();
      await eventually(async () => (await count()) === 0);
    });
  }

  it('is what broke a bulk off whose connection was ended as it was written, and not what refuses a bulk', () => {
    // As the driver wraps it; a connection cannot be made to end at just that moment.
    const wrapped = (code: string | number) =>
      new MongoBulkWriteError(Object.assign(new Error('It failed'), { code }), {} as BulkWriteResult);
    expect([wrapped('EPIPE'), wrapped('ECONNRESET')].map(isMongoUnavailable)).to.deep.equal([true, true]);
    expect(isMongoUnavailable(wrapped(11000))).to.equal(false);
  });

  it('is not what one is that refuses a command', async () => {
    expect(isMongoUnavailable(await reasonOf(mongo.db.command({ nonsense: 1 })))).to.equal(false);
  });

  it('is not looked for any more once the client is closed', async () => {
    await server.kill();
    await reasonOf(mongo.ping(2_000));
    await mongo.close();
    await server.restart();
    expect(await reasonOf(mongo.ping(2_000))).to.be.instanceOf(Error);
  });
});
