import { context } from '@opentelemetry/api';
import { expect } from 'chai';
import { Carrier, contextWith } from '../../../src/core/context.ts';
import { StartupError } from '../../../src/core/errors/startup-error.ts';
import { dbMongoCommandDuration } from '../../../src/core/telemetry/metrics/metrics.ts';
import { createMongo, type Mongo } from '../../../src/db/mongo/client.ts';
import { freePort as closedPort } from '../../support/free-port.ts';
import { createDatabases } from '../../support/stores.ts';

describe('Mongo', () => {
  let mongo: Mongo;
  let drop: () => Promise<void>;
  before(async () => {
    const stores = await createDatabases();
    drop = stores.drop;
    mongo = createMongo(stores.mongoUrl, new URL(stores.mongoUrl).pathname.slice(1), 'okapi-test', ['known_things']);
  });
  after(async () => {
    await mongo.close();
    await drop();
  });

  const counts = () =>
    Object.fromEntries(
      [...dbMongoCommandDuration.series()].map((child) => [
        `${child.labels['command']} ${child.labels['collection']}`,
        child.read().count,
      ]),
    );

  it('measures each command under its name and collection', async () => {
    await mongo.db.collection('known_things').insertOne({ a: 1 });
    await mongo.db.collection('known_things').find({}).toArray();
    expect(counts()).to.include({ 'insert known_things': 1, 'find known_things': 1 });
  });

  it('names no collection that was not declared, and no command that is not ours', async () => {
    // Other files of this process may have made some of their own.
    const before = counts();
    for (let n = 0; n < 5; n++) await mongo.db.collection(`thing_${n}`).find({}).toArray();
    for (let n = 0; n < 5; n++) await mongo.db.command({ [`nonsense${n}`]: 1 }).catch(() => undefined);
    const after = counts();
    for (const name of ['find _other', '_other _other']) {
      expect((after[name] ?? 0) - (before[name] ?? 0), name).to.equal(5);
    }
    expect(Object.keys(after).filter((name) => /thing_\d|nonsense/.test(name))).to.deep.equal([]);
  });

  it('counts the pages of a list for the collection that it is of', async () => {
    await mongo.db.collection('known_things').insertMany(Array.from({ length: 5 }, (_, n) => ({ n })));
    await mongo.db.collection('known_things').find({}, { batchSize: 2 }).toArray();
    expect(counts()['getMore known_things']).to.be.greaterThan(0);
  });

  it('tells the request what its commands took', async () => {
    const carrier = new Carrier();
    await context.with(contextWith(carrier), () => mongo.db.collection('known_things').findOne({ a: 1 }));
    expect(carrier.spent.mongoCommands).to.equal(1);
    expect(carrier.spent.mongoMs).to.be.greaterThan(0);
  });

  it('measures a command that fails too', async () => {
    const before = counts()['insert known_things'] ?? 0;
    const things = mongo.db.collection<{ _id: number }>('known_things');
    await things.insertOne({ _id: 1 });
    const error = await things.insertOne({ _id: 1 }).catch((reason: unknown) => reason);
    expect((error as { code: number }).code).to.equal(11_000);
    expect(counts()['insert known_things']).to.equal(before + 2);
  });

  it('gives up after two seconds when it is away, and never fails the process', async () => {
    const away = createMongo(`mongodb://127.0.0.1:${await closedPort()}`, 'x', 'okapi-test', []);
    expect(away.db.client.options).to.include({ serverSelectionTimeoutMS: 2_000, connectTimeoutMS: 2_000 });
    const error = await away.db
      .collection('x')
      .findOne({})
      .catch((reason: unknown) => reason);
    expect((error as Error).name).to.equal('MongoServerSelectionError');
    await away.close();
  });

  for (const url of [
    'mongodb://u:sekret@host:99999',
    'mongodb://u:p@sekret@host',
    'mongodb://',
    'mongodb://u:se/kret@host',
    'mongodb://h/?sekret=1',
  ]) {
    it(`is refused in one line that quotes nothing of ${url.replaceAll(/sekret|se\/kret/g, '•••')}`, () => {
      const open = () => createMongo(url, 'x', 'okapi-test', []);
      expect(open).to.throw(StartupError, /^MONGO_URL must be a connection string/);
      expect(open).to.not.throw(/sekret|kret@/);
    });
  }
});
