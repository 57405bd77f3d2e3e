import { context } from '@opentelemetry/api';
import { expect } from 'chai';
import pg from 'pg';
import { Carrier, contextWith } from '../../../src/core/context.ts';
import { ServiceUnavailableError } from '../../../src/core/errors/app-http-error.ts';
import { dbPostgresQueryDuration } from '../../../src/core/telemetry/metrics/metrics.ts';
import type { Database } from '../../../src/db/postgres/database.ts';
import { isUnavailable } from '../../../src/db/postgres/unavailable.ts';
import { eventually } from '../../support/eventually.ts';
import { createDatabases, type StoreAddresses } from '../../support/stores.ts';
import { openDatabase, type StoreProxy, startProxy } from './harness.ts';

const PID = { text: 'select pg_backend_pid() as pid' };

describe('the database', () => {
  let stores: StoreAddresses & { drop(): Promise<void> };
  const opened: Database[] = [];
  const open = (size?: number, overflow?: number, url = stores.databaseUrl) => {
    const database = openDatabase(url, size, overflow);
    opened.push(database);
    return database;
  };
  before(async () => {
    stores = await createDatabases();
    await open().query({ text: 'create table counters (id int primary key, n int not null)' });
  });
  afterEach(() => Promise.all(opened.splice(0).map((database) => database.close())));
  after(() => stores.drop());

  /** Holds `count` connections until it is told to let go. */
  const hold = async (database: Database, count: number) => {
    const gate = Promise.withResolvers<void>();
    const held = Array.from({ length: count }, () =>
      database.transaction(async (tx) => {
        await tx.query(PID);
        await gate.promise;
      }),
    );
    await eventually(() => database.figures().inUse === count);
    return async () => {
      gate.resolve();
      await Promise.all(held);
    };
  };

  describe('its pool', () => {
    it('opens nothing before it is asked', () => {
      expect(open().figures()).to.deep.equal({ open: 0, inUse: 0, waiting: 0, size: 2 });
    });

    it('opens at most size and overflow; who comes then waits, and gets a connection', async () => {
      const database = open(2, 1);
      const letGo = await hold(database, 3);
      const waiting = database.query<{ n: number }>({ text: 'select 1 as n' });
      await eventually(() => database.figures().waiting === 1);
      expect(database.figures()).to.deep.equal({ open: 3, inUse: 3, waiting: 1, size: 2 });
      await letGo();
      expect(await waiting).to.deep.equal([{ n: 1 }]);
    });

    it('closes what is above its size when it comes back, and keeps the rest', async () => {
      const database = open(2, 3);
      const letGo = await hold(database, 5);
      await letGo();
      await eventually(() => database.figures().open === 2);
      expect(database.figures()).to.deep.equal({ open: 2, inUse: 0, waiting: 0, size: 2 });
    });

    it('loses no connection to statements that fail', async () => {
      const database = open(1, 0);
      for (let n = 0; n < 5; n++) {
        const error = await database.query({ text: 'select nonsense' }).catch((reason: unknown) => reason);
        expect((error as { code: string }).code).to.equal('42703');
      }
      expect(database.figures()).to.include({ open: 1, inUse: 0 });
    });

    it('runs nothing for a request whose deadline has passed while it waited, and keeps the connection', async () => {
      const database = open(1, 0);
      const letGo = await hold(database, 1);
      const carrier = new Carrier();
      const asked = context.with(contextWith(carrier), () => database.query(PID)).catch((error: unknown) => error);
      await eventually(() => database.figures().waiting === 1);
      const late = new Error('too late');
      carrier.abort(late);
      await letGo();
      expect(await asked).to.equal(late);
      expect(carrier.spent.postgresStatements).to.equal(0);
      expect(database.figures()).to.include({ open: 1, inUse: 0, waiting: 0 });
      expect(await context.with(contextWith(carrier), () => database.query(PID)).catch((error) => error)).to.equal(
        late,
      );
    });

    it('says who asked, not where the driver stood, when no connection is had', async () => {
      const url = new URL(stores.databaseUrl);
      url.pathname = '/nothing_of_that_name';
      const database = open(1, 0, url.href);
      async function whoever() {
        await database.query(PID);
      }
      const error = await whoever().catch((reason: Error) => reason);
      expect(error).to.include({ code: '3D000' });
      expect((error as Error).stack).to.contain('whoever');
    });

    it('tells the request how long it waited, and what its statements took', async () => {
      const database = open(1, 0);
      const letGo = await hold(database, 1);
      const carrier = new Carrier();
      const asked = context.with(contextWith(carrier), () => database.query({ text: 'select pg_sleep(0.02)' }));
      await eventually(() => database.figures().waiting === 1);
      await letGo();
      await asked;
      expect(carrier.spent.postgresStatements).to.equal(1);
      expect(carrier.spent.postgresMs).to.be.greaterThan(19);
      expect(carrier.spent.poolWaitMs).to.be.greaterThan(0);
    });
  });

  it('binds values: text that is SQL stays text', async () => {
    const evil = `'; drop table counters; --`;
    const rows = await open().query({ name: 'echo', text: 'select $1::text as echo' }, [evil]);
    expect(rows).to.deep.equal([{ echo: evil }]);
  });

  it('counts each statement once under its operation, those that fail too', async () => {
    const counts = (): Record<string, number> =>
      Object.fromEntries(
        [...dbPostgresQueryDuration.series()].map((child) => [child.labels['operation'], child.read().count]),
      );
    const database = open();
    const before = counts();
    await database.transaction(async (tx) => {
      await tx.query({ text: 'with x as (select 1) select * from x' });
    });
    await database.query({ text: 'select nonsense' }).catch(() => undefined);
    const after = counts();
    const added = Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]));
    expect(added).to.include({ BEGIN: 1, SELECT: 2, COMMIT: 1 });
  });

  describe('a transaction', () => {
    it('is kept whole when its work is done, and gives what the work gave', async () => {
      const database = open();
      const given = await database.transaction(async (tx) => {
        await tx.query({ text: 'insert into counters values (1, 0)' });
        return 'done';
      });
      expect(given).to.equal('done');
      expect(await database.query({ text: 'select n from counters where id = 1' })).to.deep.equal([{ n: 0 }]);
    });

    it('leaves nothing when its work throws, and throws that very error', async () => {
      const database = open();
      const thrown = new Error('changed my mind');
      const error = await database
        .transaction(async (tx) => {
          await tx.query({ text: 'insert into counters values (2, 0)' });
          throw thrown;
        })
        .catch((reason: unknown) => reason);
      expect(error).to.equal(thrown);
      expect(await database.query({ text: 'select 1 from counters where id = 2' })).to.deep.equal([]);
      expect(database.figures()).to.include({ open: 1, inUse: 0 });
    });

    it('is tried again when the server could not serialize it, so that no update is lost', async () => {
      const database = open(4, 0);
      await database.query({ text: 'insert into counters values (3, 0)' });
      let attempts = 0;
      const both = Promise.withResolvers<void>();
      let readers = 0;
      const increment = () =>
        database.transaction(async (tx) => {
          attempts++;
          await tx.query({ text: 'set transaction isolation level repeatable read' });
          const [row] = await tx.query<{ n: number }>({ text: 'select n from counters where id = 3' });
          // Both have read the same before either writes.
          if (++readers === 2) both.resolve();
          await both.promise;
          await tx.query({ text: 'update counters set n = $1 where id = 3' }, [(row?.n ?? 0) + 1]);
        });
      await Promise.all([increment(), increment()]);
      expect(await database.query({ text: 'select n from counters where id = 3' })).to.deep.equal([{ n: 2 }]);
      expect(attempts).to.equal(3);
    });

    for (const [what, code, expected] of [
      ['a serialization failure', '40001', 3],
      ['a deadlock', '40P01', 3],
      ['any other error', '23505', 1],
    ] as const) {
      it(`is tried ${expected} times at most after ${what}, then the error is thrown`, async () => {
        let attempts = 0;
        const error = await open()
          .transaction(async (tx) => {
            attempts++;
            await tx.query({ text: `do $$ begin raise exception 'no' using errcode = '${code}'; end $$` });
          })
          .catch((reason: unknown) => reason);
        expect((error as { code: string }).code).to.equal(code);
        expect(attempts).to.equal(expected);
      });
    }
  });

  describe('that cannot be reached', () => {
    let proxy: StoreProxy;
    before(async () => {
      proxy = await startProxy(stores.databaseUrl);
    });
    after(() => proxy.close());

    const expectUnavailable = async (work: Promise<unknown>) => {
      const error = await work.catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(ServiceUnavailableError);
      expect(error).to.include({ status: 503, code: 'postgres.unavailable' });
      expect(JSON.stringify(error), 'nothing of the address').to.not.contain('127.0.0.1');
      expect((error as Error).cause).to.be.instanceOf(Error);
    };

    it('is a 503 at once, and is there again when the server is, with every connection given back', async () => {
      const database = open(2, 0, proxy.url);
      await database.query(PID);
      await proxy.goAway();
      await expectUnavailable(database.query(PID));
      await expectUnavailable(database.transaction((tx) => tx.query(PID)));
      await proxy.comeBack();
      await eventually(() => database.query(PID));
      expect(database.figures()).to.deep.include({ inUse: 0, waiting: 0 });
    });

    it('is a 503 in the middle of a statement and of a transaction', async () => {
      const database = open(2, 0, proxy.url);
      const slow = expectUnavailable(database.query({ text: 'select pg_sleep(10)' }));
      const begun = Promise.withResolvers<void>();
      const cut = Promise.withResolvers<void>();
      const transaction = expectUnavailable(
        database.transaction(async (tx) => {
          await tx.query(PID);
          begun.resolve();
          await cut.promise;
          await tx.query(PID);
        }),
      );
      await begun.promise;
      await proxy.goAway();
      cut.resolve();
      await Promise.all([slow, transaction]);
      await proxy.comeBack();
      expect(database.figures()).to.include({ inUse: 0 });
    });

    it('is a 503 when the server ends our session', async () => {
      const database = open(1, 0);
      const admin = new pg.Client({ connectionString: stores.databaseUrl });
      await admin.connect();
      const slow = expectUnavailable(database.query({ text: 'select pg_sleep(11)' }));
      await eventually(async () => {
        const { rowCount } = await admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(11)' and datname = current_database()`,
        );
        return rowCount === 1;
      });
      await slow;
      await admin.end();
      expect(await database.query({ text: 'select 1 as n' })).to.deep.equal([{ n: 1 }]);
    });
  });
});

describe('whether an error says that PostgreSQL is away', () => {
  const withCode = (code: string) => Object.assign(new Error('x'), { code });
  for (const [what, error, expected] of [
    ['a refused connection', withCode('ECONNREFUSED'), true],
    ['a name that cannot be found', withCode('ENOTFOUND'), true],
    ['several addresses that refuse', new AggregateError([withCode('ECONNREFUSED')]), true],
    ['a server that starts', withCode('57P03'), true],
    ['a server that stops', withCode('57P01'), true],
    ['too many connections', withCode('53300'), true],
    ['a lost connection', new Error('Connection terminated unexpectedly'), true],
    ['a wait for the pool that was too long', new Error('timeout exceeded when trying to connect'), true],
    ['a unique key that is taken', withCode('23505'), false],
    ['a statement that took too long', withCode('57014'), false],
    ['a mistake in SQL', withCode('42601'), false],
    ['a mistake of ours', new TypeError('x is not a function'), false],
    ['no error', 'ECONNREFUSED', false],
    ['nothing', undefined, false],
  ] as const) {
    it(`${expected ? 'it does' : 'it does not'}: ${what}`, () => expect(isUnavailable(error)).to.equal(expected));
  }
});
