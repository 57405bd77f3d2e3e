import { spawnSync } from 'node:child_process';
import { chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { EmbeddedStores } from '../../../src/db/embedded/index.ts';
import { isAlive } from './parent-process.ts';
import { addressFrom, query, SOURCE, serverPid, startStoresInParent, useStores } from './stores-fixture.ts';

const NOBODY = { uid: 65534, gid: 65534 };

describe('starting the embedded PostgreSQL', () => {
  const { dataDir, emptyDir, start, refusal } = useStores();

  function urlOf(stores: EmbeddedStores, database = 'okapi'): string {
    return stores.databaseUrl?.(database) ?? '';
  }

  it('keeps data through a stop and a start', async () => {
    const first = await start(dataDir());
    await query(urlOf(first), ['CREATE TABLE kept (id int)', 'INSERT INTO kept VALUES (1)']);
    await first.stop();
    const second = await start(dataDir());
    expect(await query(urlOf(second), ['SELECT id FROM kept'])).to.deep.equal([{ id: 1 }]);
  });

  it('creates the databases that are missing, in UTF-8 and sorted by code point', async () => {
    const stores = await start(dataDir(), ['okapi', 'second "one"']);
    const [row] = await query(urlOf(stores, 'second "one"'), [
      `SELECT pg_encoding_to_char(encoding) AS encoding, datlocale FROM pg_database WHERE datname = current_database()`,
    ]);
    expect(row).to.deep.equal({ encoding: 'UTF8', datlocale: 'C.UTF-8' });
  });

  it('listens on loopback only, and leaves no socket file', async () => {
    const rows = await query(urlOf(await start(dataDir())), [
      `SELECT current_setting('listen_addresses') AS tcp, current_setting('unix_socket_directories') AS unix`,
    ]);
    expect(rows).to.deep.equal([{ tcp: '127.0.0.1', unix: '' }]);
  });

  it('keeps its password where only its owner can read it', async () => {
    const mode = async (...path: string[]) => (await stat(join(dataDir(), ...path))).mode & 0o777;
    expect(await mode('keys')).to.equal(0o700);
    expect(await mode('keys', 'postgres-password')).to.equal(0o600);
  });

  it('ends in order, and frees the folder, when it is stopped', async () => {
    const stores = await start(dataDir());
    const pid = await serverPid(dataDir());
    await Promise.all([stores.stop(), stores.stop()]);
    expect([isAlive(pid), await serverPid(dataDir())]).to.deep.equal([false, 0]);
    await start(dataDir());
  });

  it('initialises in an empty environment, in a path with a space, inside a folder of its owner alone', async () => {
    const folder = join(await emptyDir(), 'my data');
    const parent = startStoresInParent(folder, { env: {} });
    expect(await parent.line()).to.equal(`Preparing an embedded PostgreSQL in ${join(folder, 'postgres')}`);
    expect(await query(await addressFrom(parent), ['SELECT 1 AS one'])).to.deep.equal([{ one: 1 }]);
    expect(await readdir(folder)).to.have.members(['keys', 'lock.sqlite', 'postgres']);
  });

  it('initialises for an ordinary user, and starts for the superuser in the same folder after that', async () => {
    const folder = await emptyDir();
    const user = ordinaryUser();
    if (user) await chown(folder, user.uid, user.gid);
    const parent = startStoresInParent(folder, user);
    const url = await addressFrom(parent);
    await query(url, ['CREATE TABLE kept (id int)']);
    await parent.kill();
    const stores = await start(folder);
    expect(await query(urlOf(stores), ['SELECT id FROM kept'])).to.deep.equal([]);
  });

  it('refuses a second instance, in one line that names DATA_DIR', async () => {
    await start(dataDir());
    expect(await refusal(dataDir())).to.match(/^DATA_DIR .* in use .+$/);
  });

  it('refuses the folder of another major version by name', async () => {
    const folder = await folderOf('15');
    expect(await refusal(folder)).to.match(/^.* was made by PostgreSQL 15 and the embedded server is 18: .+$/);
  });

  it('refuses a folder that holds something else, and leaves it as it is', async () => {
    const folder = await emptyDir();
    await mkdir(join(folder, 'postgres'));
    await writeFile(join(folder, 'postgres', 'letter.txt'), 'Dear');
    expect(await refusal(folder)).to.match(/^.* is not a PostgreSQL folder .+$/);
    expect(await readdir(join(folder, 'postgres'))).to.deep.equal(['letter.txt']);
  });

  it('refuses a damaged folder with what PostgreSQL says, in one line', async () => {
    const folder = await folderOf('18');
    expect(await refusal(folder)).to.match(/^The embedded PostgreSQL does not start on .* \(.+\): set DATA_DIR .+$/);
  });

  it('refuses a password that is not the one it was initialised with', async () => {
    const file = join(dataDir(), 'keys', 'postgres-password');
    const password = await readFile(file);
    try {
      await writeFile(file, 'another');
      expect(await refusal(dataDir())).to.match(/^The embedded PostgreSQL refuses the password .+$/);
    } finally {
      await writeFile(file, password);
    }
  });

  /** A data folder in which everything but the version and the password is missing. */
  async function folderOf(version: string): Promise<string> {
    const folder = await emptyDir();
    for (const name of ['postgres', 'keys']) await mkdir(join(folder, name), { mode: 0o700 });
    await writeFile(join(folder, 'postgres', 'PG_VERSION'), `${version}\n`);
    await writeFile(join(folder, 'keys', 'postgres-password'), 'password', { mode: 0o600 });
    return folder;
  }
});

/**
 * To become an ordinary user takes a superuser, and a checkout that others can read. Whoever is an ordinary user
 * already, or cannot become one, runs the test as they are.
 */
function ordinaryUser(): typeof NOBODY | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const needed = [fileURLToPath(SOURCE), process.execPath];
  const reads = spawnSync('/bin/sh', ['-c', 'test -r "$1" && test -x "$2"', 'sh', ...needed], { cwd: '/', ...NOBODY });
  return reads.status === 0 ? NOBODY : undefined;
}
