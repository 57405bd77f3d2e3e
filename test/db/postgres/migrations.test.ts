import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { StartupError } from '../../../src/core/errors/startup-error.ts';
import { stopLogger } from '../../../src/core/logging/index.ts';
import { migrate } from '../../../src/db/postgres/migrations.ts';
import { MIGRATION_FOLDERS } from '../../../src/domains/compose.ts';
import { start as startLogging } from '../../core/logging/harness.ts';
import { eventually } from '../../support/eventually.ts';
import { createDatabases, type StoreAddresses } from '../../support/stores.ts';
import { poolOptions } from './harness.ts';

const FIRST = '20260101000000_first.sql';
const SECOND = '20260102000000_second.sql';
const THIRD = '20260103000000_third.sql';

describe('migrations', () => {
  let stores: StoreAddresses & { drop(): Promise<void> };
  let db: pg.Client;
  let users: string;
  let shops: string;
  beforeEach(async () => {
    stores = await createDatabases();
    db = new pg.Client({ connectionString: stores.databaseUrl });
    await db.connect();
    users = mkdtempSync(join(tmpdir(), 'okapi-migrations-'));
    shops = mkdtempSync(join(tmpdir(), 'okapi-migrations-'));
    writeFileSync(join(users, FIRST), 'create table first (id int)');
    writeFileSync(join(shops, SECOND), 'create table second (id int); insert into second values (1)');
  });
  afterEach(async () => {
    await db.end();
    await stores.drop();
    for (const folder of [users, shops]) rmSync(folder, { recursive: true });
  });

  const run = () => migrate({ ...poolOptions(stores.databaseUrl), folders: [shops, users] });
  const refusal = async () => {
    const error = await run().catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(StartupError);
    return (error as StartupError).message;
  };
  const applied = async () =>
    (await db.query('select name from okapi_migrations order by name')).rows.map(({ name }) => name);
  const tables = async () => {
    const { rows } = await db.query(`select tablename from pg_tables where schemaname = 'public' order by 1`);
    return rows.map(({ tablename }) => tablename);
  };

  it('are applied once, in the order of their timestamps over all folders', async () => {
    expect(await run()).to.deep.equal(['20260101000000_first', '20260102000000_second']);
    expect(await run()).to.deep.equal([]);
    expect(await tables()).to.deep.equal(['first', 'okapi_migrations', 'second']);
    expect((await db.query('select count(*)::int as n from second')).rows).to.deep.equal([{ n: 1 }]);
  });

  it('are applied later although newer ones of other folders were before', async () => {
    await run();
    writeFileSync(join(users, '20260101120000_between.sql'), 'create table between_them (id int)');
    expect(await run()).to.deep.equal(['20260101120000_between']);
  });

  it('are applied once by replicas that start together', async () => {
    const runs = await Promise.all([run(), run(), run(), run()]);
    expect(runs.flat()).to.have.members(['20260101000000_first', '20260102000000_second']);
    expect((await db.query('select count(*)::int as n from second')).rows).to.deep.equal([{ n: 1 }]);
  });

  it('stop the start when one that was applied has been edited', async () => {
    await run();
    writeFileSync(join(users, FIRST), 'create table first (id bigint)');
    writeFileSync(join(users, THIRD), 'create table third (id int)');
    expect(await refusal()).to.match(/^Migration 20260101000000_first was edited after it was applied/);
    expect(await tables()).to.not.include('third');
  });

  it('stop the start when an older one that was applied is missing', async () => {
    await run();
    unlinkSync(join(users, FIRST));
    expect(await refusal()).to.match(/^Migration 20260101000000_first was applied, but its file is missing/);
  });

  it('only warn of one that is newer, so that a version can be rolled back', async () => {
    writeFileSync(join(users, THIRD), 'create table third (id int)');
    await run();
    unlinkSync(join(users, THIRD));
    const { console } = startLogging({ files: false });
    expect(await run()).to.deep.equal([]);
    const [line] = await eventually(() => {
      const found = console.lines.filter(({ level }) => level === 'WARNING');
      return found.length > 0 && found;
    });
    await stopLogger();
    expect(line?.message).to.contain('20260103000000_third was applied by a newer version');
  });

  it('leave nothing of one that fails, and keep those before it', async () => {
    writeFileSync(join(shops, SECOND), 'create table second (id int); insert into nowhere values (1)');
    writeFileSync(join(users, THIRD), 'create table third (id int)');
    expect(await refusal()).to.match(/^Migration 20260102000000_second failed and was rolled back: .*nowhere/);
    expect(await tables()).to.deep.equal(['first', 'okapi_migrations']);
    expect(await applied()).to.deep.equal(['20260101000000_first']);
    writeFileSync(join(shops, SECOND), 'create table second (id int)');
    expect(await run(), 'once mended it goes on').to.deep.equal(['20260102000000_second', '20260103000000_third']);
  });

  it('stop the start when a file has a name that does not say its place', async () => {
    writeFileSync(join(users, '2_second.sql'), 'select 1');
    expect(await refusal()).to.match(/2_second\.sql must be named like 2026/);
  });

  it('stop the start when two have one name', async () => {
    writeFileSync(join(shops, FIRST), 'create table other (id int)');
    expect(await refusal()).to.match(/^Migration 20260101000000_first stands in two folders/);
  });

  it('let go of their lock, also when they fail', async () => {
    writeFileSync(join(shops, SECOND), 'nonsense');
    await refusal();
    const { rows } = await db.query(
      `select count(*)::int as n from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
    );
    expect(rows).to.deep.equal([{ n: 0 }]);
  });

  it('of this service bring an empty database to its schema', async () => {
    await migrate({ ...poolOptions(stores.databaseUrl), folders: MIGRATION_FOLDERS });
    expect(await tables()).to.include.members(['users', 'sessions']);
  });
});
