import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { outboxDropped } from '../../../src/core/telemetry/metrics/service-metrics.ts';
import { createOutbox, type Outbox } from '../../../src/db/outbox/outbox.ts';
import type { Database } from '../../../src/db/postgres/database.ts';
import { migrate } from '../../../src/db/postgres/migrations.ts';
import { createActivityRecorder } from '../../../src/domains/activity/index.ts';
import { createRefusals, type Refusals } from '../../../src/domains/activity/refusals.ts';
import { MIGRATION_FOLDERS } from '../../../src/domains/compose.ts';
import { type CuttingProxy, startCuttingProxy } from '../../support/cutting-proxy.ts';
import { openDatabase, poolOptions } from '../../support/database.ts';
import { createDatabases, type StoreAddresses } from '../../support/stores.ts';

type Row = { type: string; address: string; quantity: number };

const { signal } = new AbortController();
const NOON = Date.UTC(2026, 0, 1, 12);

describe('refusals on their way to the outbox', () => {
  let stores: StoreAddresses & { drop(): Promise<void> };
  let proxy: CuttingProxy;
  /** Straight to PostgreSQL, while the service goes by the proxy. */
  let direct: Database;
  let database: Database;
  let refusals: Refusals;
  let userId: string;
  before(async () => {
    stores = await createDatabases();
    await migrate({ ...poolOptions(stores.databaseUrl), folders: MIGRATION_FOLDERS });
    proxy = await startCuttingProxy(stores.databaseUrl);
    direct = openDatabase(stores.databaseUrl);
    database = openDatabase(proxy.url);
  });
  beforeEach(async () => {
    await direct.query({ text: 'truncate outbox, outbox_writers, users cascade' });
    userId = randomUUID();
    await direct.query({ text: `insert into users (id, email, password_hash) values ($1, 'a@example.org', 'x')` }, [
      userId,
    ]);
    refusals = createRefusals(database, outboxOn(database), () => NOON);
  });
  after(async () => {
    await database.close();
    await proxy.close();
    await direct.close();
    await stores.drop();
  });

  const outboxOn = (db: Database): Outbox =>
    createOutbox({
      database: db,
      receiver: { deliver: async () => undefined, ping: async () => undefined, isUnavailable: () => false },
      max: 1000,
    });
  const refuse = (address: string, of: string | null) =>
    createActivityRecorder(refusals).noteRefusal({
      type: 'auth.refused',
      userId: of,
      device: { ip_address: address } as never,
    });
  const run = () => refusals.task.run(signal);
  const written = async () => {
    const rows = await direct.query<Row>({
      text: `select coalesce(message -> 'event', message -> 'refusals') ->> 'type' as type, quantity,
        coalesce(message -> 'event', message -> 'refusals') ->> 'ip_address' as address from outbox order by id`,
    });
    return rows.map(({ address, quantity }) => `${address} ${quantity}`);
  };
  const deliver = () => direct.query({ text: 'update outbox set delivered_at = now()' });
  const dropped = () => [...outboxDropped.series()][0]?.value ?? 0;

  describe('when the connection breaks between a commit and its answer', () => {
    for (const when of ['before it is delivered', 'after it was delivered']) {
      it(`are recorded once for a user when they are written again ${when}`, async () => {
        refuse('192.0.2.1', userId);
        refuse('192.0.2.2', userId);
        const cut = proxy.cutAnswerTo('record_activity');
        await Promise.all([cut, run()]);
        expect(await written(), 'it is committed').to.deep.equal(['192.0.2.1 1']);
        if (when.startsWith('after')) await deliver();
        await run();
        expect(await written()).to.deep.equal(['192.0.2.1 1', '192.0.2.2 1']);
      });

      it(`are counted once for an address when they are written again ${when}`, async () => {
        for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) refuse(address, null);
        const cut = proxy.cutAnswerTo('add_up_outbox_messages');
        await Promise.all([cut, run()]);
        expect(await written(), 'they are committed').to.deep.equal(['192.0.2.1 2', '192.0.2.2 1']);
        if (when.startsWith('after')) await deliver();
        // What is noted meanwhile is no part of what is repeated.
        refuse('192.0.2.1', null);
        refuse('192.0.2.3', null);
        await run();
        await run();
        const expected = when.startsWith('after')
          ? ['192.0.2.1 2', '192.0.2.2 1', '192.0.2.1 1', '192.0.2.3 1']
          : ['192.0.2.1 3', '192.0.2.2 1', '192.0.2.3 1'];
        expect(await written()).to.deep.equal(expected);
      });
    }

    it('are what the user’s event and its id say, and the id is no part of it', async () => {
      refuse('192.0.2.1', userId);
      await run();
      const [row] = await direct.query<{ message: { event: object } }>({ text: 'select message from outbox' });
      expect(row?.message.event).to.have.all.keys('type', 'user_id', 'request_id', 'trace_id', 'ip_address', 'device');
    });
  });

  it('of two instances that count the same addresses are added up, and neither waits for the other', async () => {
    const [one, other] = [refusals, createRefusals(direct, outboxOn(direct), () => NOON)];
    const addresses = Array.from({ length: 200 }, (_, n) => `192.0.2.${n}`);
    for (let round = 0; round < 5; round++) {
      for (const address of addresses) one.note('auth.refused', address);
      for (const address of addresses.toReversed()) other.note('auth.refused', address);
      await Promise.all([one.task.run(signal), other.task.run(signal)]);
    }
    expect((await written()).sort()).to.deep.equal(addresses.map((address) => `${address} 10`).sort());
  });

  describe('that PostgreSQL refuses for what is in them', () => {
    const impossible = (of: string) => JSON.stringify({ id: randomUUID(), type: 'auth.refused', user_id: of, x: '\0' });

    it('are dropped and counted, and those behind them are written', async () => {
      const before = dropped();
      refusals.note('auth.refused', '192.0.2.1', impossible(userId));
      refuse('192.0.2.2', userId);
      refusals.note('auth.refused', '192.0.2.1', impossible(userId));
      refuse('192.0.2.3', null);
      await run();
      expect(await written()).to.deep.equal(['192.0.2.2 1', '192.0.2.3 1']);
      expect(dropped()).to.equal(before + 2);
    });

    it('are dropped and counted where they are added up, and what is counted later is written', async () => {
      const before = dropped();
      await direct.query({
        text: `alter table outbox add constraint at_most_two check (aggregate_key is null or quantity <= 2)`,
      });
      try {
        for (let n = 0; n < 3; n++) refuse('192.0.2.1', null);
        await run();
        refuse('192.0.2.2', null);
        await run();
      } finally {
        await direct.query({ text: 'alter table outbox drop constraint at_most_two' });
      }
      expect(await written()).to.deep.equal(['192.0.2.2 1']);
      expect(dropped()).to.equal(before + 3);
    });

    it('are kept when it is not for what is in them', async () => {
      const before = dropped();
      await direct.query({ text: 'alter table outbox rename to elsewhere' });
      refuse('192.0.2.1', userId);
      refuse('192.0.2.2', null);
      const failure = await run().catch((error: unknown) => error);
      await direct.query({ text: 'alter table elsewhere rename to outbox' });
      expect(failure).to.include({ code: '42P01' });
      await run();
      expect(await written()).to.deep.equal(['192.0.2.1 1', '192.0.2.2 1']);
      expect(dropped()).to.equal(before);
    });
  });
});
