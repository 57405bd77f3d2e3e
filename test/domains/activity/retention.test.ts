import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { type Db, MongoClient } from 'mongodb';
import { migrate } from '../../../src/db/postgres/migrations.ts';
import { createActivityStore } from '../../../src/domains/activity/index.ts';
import { createSessionStore } from '../../../src/domains/auth/index.ts';
import { createRetentionTask } from '../../../src/domains/auth/retention.ts';
import { MIGRATION_FOLDERS } from '../../../src/domains/compose.ts';
import { openDatabase, poolOptions } from '../../support/database.ts';
import { createDatabases, sharedStores } from '../../support/stores.ts';

const DAY_SECONDS = 86_400;

describe('old activity', () => {
  let client: MongoClient;
  let db: Db;
  before(async () => {
    client = await new MongoClient(sharedStores().mongoUrl).connect();
    db = client.db(`retention_${randomBytes(4).toString('hex')}`);
  });
  after(async () => {
    await db.dropDatabase();
    await client.close();
  });

  const expireAfter = async () =>
    (await db.collection('activity_events').indexes())
      .filter(({ expireAfterSeconds }) => expireAfterSeconds !== undefined)
      .map(({ key, expireAfterSeconds }) => ({ key, seconds: Number(expireAfterSeconds) }));

  it('expires after the time that is set, also when another one was set before', async () => {
    const store = createActivityStore(db);
    await store.createIndexes(365 * DAY_SECONDS);
    expect(await expireAfter()).to.deep.equal([{ key: { at: 1 }, seconds: 365 * DAY_SECONDS }]);
    await store.createIndexes(365 * DAY_SECONDS);
    await store.createIndexes(7 * DAY_SECONDS);
    expect(await expireAfter()).to.deep.equal([{ key: { at: 1 }, seconds: 7 * DAY_SECONDS }]);
  });
});

describe('sessions that have ended', () => {
  it('are removed so many days after that, and no others', async () => {
    const stores = await createDatabases();
    await migrate({ ...poolOptions(stores.databaseUrl), folders: MIGRATION_FOLDERS });
    const database = openDatabase(stores.databaseUrl);
    try {
      const userId = randomUUID();
      await database.query({ text: `insert into users (id, email, password_hash) values ($1, 'a@example.org', 'x')` }, [
        userId,
      ]);
      const begin = (name: string, expires: string, revoked: string | null) =>
        database.query(
          {
            text: `insert into sessions (id, user_id, device, expires_at, revoked_at)
              values ($1, $2, jsonb_build_object('name', $3::text), now() + $4::interval, now() + $5::interval)`,
          },
          [randomUUID(), userId, name, expires, revoked],
        );
      await begin('active', '100 days', null);
      await begin('over for long', '-31 days', null);
      await begin('over', '-29 days', null);
      await begin('ended for long', '100 days', '-31 days');
      await begin('ended', '100 days', '-29 days');
      await createRetentionTask(createSessionStore(database), 30).run(new AbortController().signal);
      const left = await database.query<{ name: string }>({
        text: `select device ->> 'name' as name from sessions order by 1`,
      });
      expect(left.map(({ name }) => name)).to.deep.equal(['active', 'ended', 'over']);
    } finally {
      await database.close();
      await stores.drop();
    }
  });
});
