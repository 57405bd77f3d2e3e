import { expect } from 'chai';
import { PasswordSecurity } from '../../../src/core/security/passwords.ts';
import { requestAttributes } from '../../../src/core/telemetry/spans/request-attributes.ts';
import type { ServerSpan } from '../../../src/core/telemetry/spans/server-span.ts';
import { setTracing } from '../../../src/core/telemetry/spans/tracing.ts';
import { createMongo, type Mongo } from '../../../src/db/mongo/client.ts';
import type { Database } from '../../../src/db/postgres/database.ts';
import { openDatabase } from '../../db/postgres/harness.ts';
import { request } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { startSlowProxy } from '../../support/slow-proxy.ts';
import { createDatabases } from '../../support/stores.ts';
import { collectSpans, get, serve, settingsFrom, type TestApp } from './harness.ts';

const SLEEP_MS = 40;
const LATE_MS = 30;
/** A timer may end a little early. */
const AT_LEAST_LATE_MS = LATE_MS - 2;
const SLEEP = { text: `select pg_sleep(${SLEEP_MS / 1000})` };

describe('what a request spent', () => {
  let app: TestApp;
  let spans: ServerSpan[];
  let database: Database;
  let single: Database;
  let mongo: Mongo;
  const close: (() => Promise<void>)[] = [];
  const passwords = new PasswordSecurity({ ...settingsFrom(), argon2Concurrency: 1 });

  before(async () => {
    const stores = await createDatabases();
    const proxy = await startSlowProxy(stores.mongoUrl, LATE_MS);
    database = openDatabase(stores.databaseUrl);
    single = openDatabase(stores.databaseUrl, 1, 0);
    mongo = createMongo(proxy.url, new URL(stores.mongoUrl).pathname.slice(1), 'okapi-test', []);
    await mongo.ping(10_000);
    spans = collectSpans();
    const things = () => mongo.db.collection('things');
    app = await serve({
      routes: [
        get('/nothing', (ctx) => ctx.respond.success({})),
        get('/statements', async (ctx) => {
          for (let n = 0; n < 3; n++) await database.query(SLEEP);
          ctx.respond.success({});
        }),
        get('/transaction', async () => {
          await database.transaction(async (tx) => {
            await tx.query(SLEEP);
            await tx.query({ text: 'select nothing_of_that_name' });
          });
        }),
        get('/commands', async (ctx) => {
          await things().insertOne({ n: 1 });
          await things().findOne({ n: 1 });
          ctx.respond.success({});
        }),
        get('/pool', async (ctx) => {
          await single.query({ text: 'select 1' });
          ctx.respond.success({});
        }),
        get('/hashes', async (ctx) => {
          await Promise.all(['one', 'two', 'three'].map((password) => passwords.generatePasswordHash(password)));
          ctx.respond.success({});
        }),
        get('/all', async (ctx) => {
          await Promise.all([database.query(SLEEP), things().findOne({ n: 1 }), single.query(SLEEP)]);
          ctx.respond.success({});
        }),
      ],
    });
    close.push(
      app.close,
      () => database.close(),
      () => single.close(),
      () => mongo.close(),
      proxy.close,
      stores.drop,
    );
  });
  after(async () => {
    setTracing();
    for (const step of close) await step();
  });

  /** The figures on the access line of one request, whose span must say the same. */
  async function spentBy(path: string, while_: () => Promise<void> = async () => undefined) {
    const [answer] = await Promise.all([request(`${app.url}/api${path}`), while_()]);
    const { request_id: id } = answer.body.meta;
    const entry = await eventually(() => app.access.find(({ requestId }) => requestId === id));
    const { durationMs, postgresStatements, postgresMs, mongoCommands, mongoMs, poolWaitMs, hashQueueMs } = entry;
    const facts = spans.find(({ facts }) => facts?.carrier.requestId === id)?.facts;
    if (facts === undefined) throw new Error('The request has no span');
    const attributes = requestAttributes(facts);
    const figures = { postgresStatements, postgresMs, mongoCommands, mongoMs, poolWaitMs, hashQueueMs };
    expect({
      postgresStatements: attributes['okapi.postgres.statements'] ?? 0,
      postgresMs: attributes['okapi.postgres.ms'] ?? 0,
      mongoCommands: attributes['okapi.mongo.commands'] ?? 0,
      mongoMs: attributes['okapi.mongo.ms'] ?? 0,
      poolWaitMs: attributes['okapi.postgres.pool_wait_ms'] ?? 0,
      hashQueueMs: attributes['okapi.hash_queue_ms'] ?? 0,
    }).to.deep.equal(figures);
    return { ...figures, durationMs };
  }

  it('is nothing when it did nothing', async () => {
    const { durationMs: _duration, ...spent } = await spentBy('/nothing');
    expect(Object.values(spent)).to.deep.equal([0, 0, 0, 0, 0, 0]);
  });

  it('is the number and the time of its statements', async () => {
    const spent = await spentBy('/statements');
    expect(spent).to.include({ postgresStatements: 3, mongoCommands: 0, mongoMs: 0, hashQueueMs: 0 });
    expect(spent.postgresMs).to.be.at.least(3 * SLEEP_MS);
    expect(spent.postgresMs + spent.poolWaitMs).to.be.at.most(spent.durationMs);
  });

  it('is all statements of a transaction, also of one that failed', async () => {
    const spent = await spentBy('/transaction');
    expect(spent.postgresStatements, 'BEGIN, two of its own, ROLLBACK').to.equal(4);
    expect(spent.postgresMs).to.be.at.least(SLEEP_MS);
    expect(spent.postgresMs + spent.poolWaitMs).to.be.at.most(spent.durationMs);
  });

  it('is the number and the time of its commands', async () => {
    const spent = await spentBy('/commands');
    expect(spent).to.include({ mongoCommands: 2, postgresStatements: 0, postgresMs: 0, poolWaitMs: 0, hashQueueMs: 0 });
    expect(spent.mongoMs)
      .to.be.at.least(2 * AT_LEAST_LATE_MS)
      .and.at.most(spent.durationMs);
  });

  it('is the time for which it waited for a connection', async () => {
    const spent = await spentBy('/pool', () => holdTheOnlyConnection());
    expect(spent).to.include({ postgresStatements: 1, mongoCommands: 0, mongoMs: 0, hashQueueMs: 0 });
    expect(spent.poolWaitMs).to.be.at.least(SLEEP_MS);
    expect(spent.postgresMs + spent.poolWaitMs).to.be.at.most(spent.durationMs);
  });

  it('is the time for which its password hashes waited for their turn', async () => {
    const spent = await spentBy('/hashes');
    expect(spent).to.include({ postgresStatements: 0, postgresMs: 0, mongoCommands: 0, mongoMs: 0, poolWaitMs: 0 });
    expect(spent.hashQueueMs).to.be.above(1);
    expect(spent.hashQueueMs, 'the second waits for one, the third for two').to.be.at.most(3 * spent.durationMs);
  });

  it('is its own when others spend at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => spentBy('/all')));
    const nothing = await Promise.all(Array.from({ length: 5 }, () => spentBy('/nothing')));
    for (const spent of all) {
      expect(spent).to.include({ postgresStatements: 2, mongoCommands: 1, hashQueueMs: 0 });
      expect(spent.postgresMs).to.be.at.least(2 * SLEEP_MS);
      expect(spent.mongoMs).to.be.at.least(AT_LEAST_LATE_MS);
    }
    for (const { durationMs: _duration, ...spent } of nothing) expect(Math.max(...Object.values(spent))).to.equal(0);
  });

  /** Keeps the connection of `single` until somebody waits for it, and then for a while. */
  async function holdTheOnlyConnection(): Promise<void> {
    await single.transaction(async (tx) => {
      await eventually(() => single.figures().waiting === 1);
      await tx.query(SLEEP);
    });
  }
});
