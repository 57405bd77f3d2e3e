import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import pg from 'pg';
import { RUNBOOK_FILE } from '../../ops/names/expressions.ts';
import { createDatabases } from '../support/stores.ts';

/** What stands between backquotes and begins with `select`; a statement may go on in the next line. */
const STATEMENT = /`(select\s[^`]+)`/g;

describe('statements that the runbook gives', () => {
  const statements = [...readFileSync(RUNBOOK_FILE, 'utf8').matchAll(STATEMENT)].map(([, sql = '']) => sql);
  let client: pg.Client;
  let drop: () => Promise<void>;
  before(async () => {
    const databases = await createDatabases();
    ({ drop } = databases);
    client = new pg.Client({ connectionString: databases.databaseUrl });
    await client.connect();
  });
  after(async () => {
    await client.end();
    await drop();
  });

  it('are there', () => expect(statements).to.have.length.greaterThan(3));

  for (const sql of new Set(statements)) {
    // A session that is none: nobody is asked to end.
    it(`are taken by PostgreSQL: ${sql.replace(/\s+/g, ' ')}`, () => client.query(sql.replaceAll('<pid>', '0')));
  }
});
