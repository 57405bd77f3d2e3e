import { expect } from 'chai';
import { createDatabases } from '../../support/stores.ts';
import { openDatabase } from './harness.ts';

describe('a full pool', () => {
  it('lets nobody wait longer than five seconds', async () => {
    const stores = await createDatabases();
    const database = openDatabase(stores.databaseUrl, 1, 0);
    const held = database.query({ text: 'select pg_sleep(7)' });
    const startedAt = performance.now();
    const error = await database.query({ text: 'select 1' }).catch((reason: unknown) => reason);
    expect(error).to.include({ status: 503, code: 'postgres.unavailable' });
    expect(performance.now() - startedAt).to.be.within(4900, 6000);
    await held;
    await database.close();
    await stores.drop();
  });
});
