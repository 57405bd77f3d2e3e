import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import type { Database } from '../../src/db/postgres/database.ts';
import type { ActivityEvent } from '../../src/domains/activity/store.ts';
import { type Credentials, freshCredentials, post } from '../support/client.ts';
import { openDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { createDatabases } from '../support/stores.ts';
import { startTestMongo } from '../support/test-mongo.ts';

type Written = { messageId: string; stream: string; type: string; isDelivered: boolean };

/** Stores that services of a test share, and what can be asked of them. */
export async function openSharedStores() {
  const postgres = await createDatabases();
  const mongo = await startTestMongo();
  const name = `outbox_${randomBytes(4).toString('hex')}`;
  const client = new MongoClient(mongo.url(name));
  const events = client.db(name).collection<ActivityEvent>('activity_events');
  const database: Database = openDatabase(postgres.databaseUrl);
  const written = () =>
    database.query<Written>({
      text: `select message_id as "messageId", stream, message -> 'event' ->> 'type' as type,
        delivered_at is not null as "isDelivered" from outbox where message ? 'event' order by id`,
    });
  return {
    mongo,
    database,
    events,
    /** For `start()`: services on these stores. */
    options: {
      stores: 'none',
      env: {
        DATABASE_URL: postgres.databaseUrl,
        MONGO_URL: mongo.url(name),
        MONGO_DB: name,
        RATE_LIMIT_ENABLED: 'false',
        // Of all the services on these stores, or none would know the tokens of another.
        ACCESS_TOKEN_SIGNING_KEY: randomBytes(32).toString('hex'),
        REFRESH_TOKEN_SIGNING_KEY: randomBytes(32).toString('hex'),
      },
    } as const,
    written,
    /** Waits until all that was written is delivered, and expects each event in Mongo once, in order. */
    async expectDeliveredOnce(): Promise<Written[]> {
      await eventually(async () => (await written()).every(({ isDelivered }) => isDelivered));
      const rows = await written();
      const found = await events
        .find({ user_id: { $ne: null } })
        .sort({ at: 1 })
        .toArray();
      expect(found).to.have.length(rows.length);
      for (const stream of new Set(rows.map((row) => row.stream))) {
        const ids = rows.filter((row) => row.stream === stream).map(({ messageId }) => messageId);
        expect(found.filter(({ user_id }) => user_id === stream).map(({ _id }) => _id)).to.deep.equal(ids);
      }
      return rows;
    },
    async close(): Promise<void> {
      await client.close();
      await database.close();
      await mongo.stop();
      await postgres.drop();
    },
  };
}

/** Somebody who signs in again and again, wherever the service is by then, until told to stop. */
export function startSigningIn(url: () => string | Promise<string>) {
  const who: Credentials = freshCredentials();
  /** Sign-ins that were answered, by session. */
  const acknowledged: string[] = [];
  let refused = 0;
  let isStopped = false;

  /** `undefined` when the service was gone before it had answered. */
  const send = async (path: string) => {
    const to = await url();
    return post(`${to}${path}`, who).catch(() => undefined);
  };

  async function signInOnce(): Promise<void> {
    const answer = await send('/api/auth/login');
    if (answer?.status === 200) acknowledged.push(answer.body.data.session_id);
    else if (answer !== undefined) refused++;
  }

  const ended = (async () => {
    while ((await send('/api/auth/register')) === undefined);
    while (!isStopped) await signInOnce();
  })();
  return {
    acknowledged,
    refused: () => refused,
    stop(): Promise<void> {
      isStopped = true;
      return ended;
    },
  };
}
