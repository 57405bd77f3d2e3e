import { expect } from 'chai';
import { createDatabases } from '../../support/stores.ts';
import { openDatabase } from './harness.ts';

describe('a full pool', () => {
  it('refuses who waited for five seconds, long before a connection comes back', async () => {
    const stores = await createDatabases();
    const database = openDatabase(stores.databaseUrl, 1, 0);
    let isHeld = true;
    const held = database.query({ text: 'select pg_sleep(25)' }).then(() => {
      isHeld = false;
    });
    const error = await database.query({ text: 'select 1' }).catch((reason: unknown) => reason);
    expect(error).to.include({ status: 503, code: 'postgres.unavailable' });
    expect(isHeld, 'nobody waited for the connection to come back').to.equal(true);
    await held;
    await database.close();
    await stores.drop();
  });
});
