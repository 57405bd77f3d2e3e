import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../../support/eventually.ts';
import { isAlive } from './parent-process.ts';
import { addressFrom, query, serverPid, startStoresInParent, useStores } from './stores-fixture.ts';

const EMPTY_TABLE = ['DROP TABLE IF EXISTS kept', 'CREATE TABLE kept (id int)'];

describe('the embedded PostgreSQL and kill -9', () => {
  const { dataDir, emptyDir, start } = useStores();

  it('ends with its parent, leaving no sign of itself', async () => {
    const parent = startStoresInParent(dataDir());
    await addressFrom(parent);
    const pid = await serverPid(dataDir());
    expect(isAlive(pid)).to.equal(true);
    await parent.kill();
    await eventually(() => !isAlive(pid));
    expect(await serverPid(dataDir())).to.equal(0);
  });

  it('keeps every acknowledged commit through kill -9 of the parent, for a start right after it', async () => {
    const parent = startStoresInParent(dataDir());
    const url = await addressFrom(parent);
    await query(url, EMPTY_TABLE);
    const acknowledged = await commitUntilKilled(url, () => parent.kill());
    const stores = await start(dataDir());
    const [row] = await query(stores.databaseUrl?.('okapi') ?? '', ['SELECT count(*)::int AS kept FROM kept']);
    expect(row).to.have.property('kept').that.is.at.least(acknowledged);
  });

  it('keeps every acknowledged commit through kill -9 of the server itself, and says that it has ended', async () => {
    const first = await start(dataDir());
    const url = first.databaseUrl?.('okapi') ?? '';
    await query(url, EMPTY_TABLE);
    const pid = await serverPid(dataDir());
    const acknowledged = await commitUntilKilled(url, () => process.kill(pid, 'SIGKILL'));
    expect(await first.crashed).to.match(/^The embedded PostgreSQL has ended/);
    await first.stop();
    const second = await start(dataDir());
    const [row] = await query(second.databaseUrl?.('okapi') ?? '', ['SELECT count(*)::int AS kept FROM kept']);
    expect(row).to.have.property('kept').that.is.at.least(acknowledged);
  });

  it('starts anew when it was killed while it was being initialised', async () => {
    const folder = await emptyDir();
    const parent = startStoresInParent(folder);
    expect(await parent.line()).to.match(/^Preparing/);
    await parent.kill();
    const stores = await start(folder);
    expect(await query(stores.databaseUrl?.('okapi') ?? '', ['SELECT 1 AS one'])).to.deep.equal([{ one: 1 }]);
  });

  it('starts although the process id of a server that was killed belongs to another program now', async () => {
    const file = `${process.pid}\n${join(dataDir(), 'postgres')}\n1\n5432\n\n127.0.0.1\n1 1\nready\n`;
    await writeFile(join(dataDir(), 'postgres', 'postmaster.pid'), file, { mode: 0o600 });
    await start(dataDir());
  });
});

/** Commits one row after the other, kills in the middle of it, and returns how many commits were acknowledged. */
async function commitUntilKilled(url: string, kill: () => unknown): Promise<number> {
  let acknowledged = 0;
  const committing = query(
    url,
    insertions(() => acknowledged++),
  ).catch(() => 'cut off');
  await eventually(() => acknowledged >= 50);
  await kill();
  await committing;
  return acknowledged - 1;
}

/** Each is asked for when the one before has been answered. */
function* insertions(next: () => void): Generator<string> {
  for (;;) {
    next();
    yield 'INSERT INTO kept VALUES (1)';
  }
}
