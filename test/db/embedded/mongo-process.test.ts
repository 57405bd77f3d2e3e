import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { StartupError } from '../../../src/core/errors/startup-error.ts';
import { startEmbeddedMongo } from '../../../src/db/embedded/mongo/launch.ts';
import { eventually } from '../../support/eventually.ts';
import { useEmbeddedMongo } from './mongo-contract.ts';
import { isAlive, killParents, startParent } from './parent-process.ts';

const SOURCE = import.meta.resolve('../../../src/db/embedded/mongo/launch.ts');

describe('the process of the embedded Mongo server', () => {
  const embedded = useEmbeddedMongo();
  afterEach(killParents);

  it('keeps every acknowledged write through a kill -9', async () => {
    const server = await embedded.start();
    const acknowledged: number[] = [];
    const client = embedded.client(server);
    const items = client.db().collection<{ _id: number }>('killed');
    let next = 0;
    const writing = Array.from({ length: 5 }, async () => {
      for (;;) {
        const _id = next++;
        await items.insertOne({ _id });
        acknowledged.push(_id);
        if (acknowledged.length === 100) process.kill(server.pid, 'SIGKILL');
      }
    });
    const written = Promise.allSettled(writing);
    expect(await server.exited).to.deep.equal({ code: null, signal: 'SIGKILL' });
    await client.close();
    await written;
    const again = await embedded.start();
    const after = embedded.client(again).db().collection<{ _id: number }>('killed');
    const kept = new Set((await after.find().toArray()).map(({ _id }) => _id));
    expect(acknowledged.filter((_id) => !kept.has(_id))).to.deep.equal([]);
    expect(kept.size).to.be.within(acknowledged.length, next);
    await again.stop();
  });

  it('waits for an older one on the same data that is still ending', async () => {
    const older = await embedded.start();
    await embedded.client(older).db().collection('kept').insertOne({ n: 1 });
    const starting = embedded.start();
    await older.stop();
    expect(await older.exited).to.deep.equal({ code: 0, signal: null });
    const younger = await starting;
    expect(await embedded.client(younger).db().collection('kept').countDocuments({ n: 1 })).to.equal(1);
    await younger.stop();
  });

  it('ends when its parent is killed', async () => {
    const source = `const { startEmbeddedMongo } = await import(${JSON.stringify(SOURCE)});
      const { pid } = await startEmbeddedMongo({ dataDir: process.argv[1] });
      console.log(pid); setInterval(() => {}, 1000);`;
    const parent = startParent(source, [embedded.dataDir()]);
    const pid = Number(await parent.line());
    expect(isAlive(pid)).to.equal(true);
    await parent.kill();
    await eventually(() => !isAlive(pid));
  });

  it('ignores SIGINT and ends cleanly on SIGTERM', async () => {
    const server = await embedded.start();
    process.kill(server.pid, 'SIGINT');
    await embedded.client(server).db().command({ ping: 1 });
    process.kill(server.pid, 'SIGTERM');
    expect(await server.exited).to.deep.equal({ code: 0, signal: null });
  });

  it('serves twenty connections at once', async () => {
    const server = await embedded.start();
    const items = Array.from({ length: 20 }, () => embedded.client(server, { maxPoolSize: 1 }).db().collection('busy'));
    const work = items.map(async (collection, n) => {
      for (let turn = 0; turn < 5; turn++) {
        await collection.insertOne({ n, turn });
        await collection.updateOne({ _id: 'sum' as never }, { $inc: { sum: 1 } }, { upsert: true });
        expect(await collection.countDocuments({ n })).to.equal(turn + 1);
      }
    });
    await Promise.all(work);
    expect(await items[0]?.findOne({ _id: 'sum' as never })).to.include({ sum: 100 });
    expect(await items[0]?.countDocuments()).to.equal(101);
    await server.stop();
  });

  it('removes what has expired', async () => {
    const server = await embedded.start({ sweepEveryMs: 20 });
    const items = embedded.client(server).db().collection('expiring');
    const now = Date.now();
    await items.insertMany([
      { _id: 'old' as never, at: new Date(now - 61_000) },
      { _id: 'new' as never, at: new Date(now) },
      { _id: 'none' as never },
      { _id: 'number' as never, at: 5 },
    ]);
    await items.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    await eventually(async () => (await items.countDocuments()) === 3);
    expect(await items.findOne({ _id: 'old' as never })).to.equal(null);
    await server.stop();
  });

  it('keeps the password in a file that only its owner can read, and in no command line', async () => {
    const server = await embedded.start();
    const file = join(embedded.dataDir(), 'keys', 'mongo-password');
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect((await stat(join(file, '..'))).mode & 0o777).to.equal(0o700);
    const password = (await readFile(file, 'utf8')).trim();
    expect(password).to.have.length.at.least(32);
    expect(server.url('a b')).to.match(
      new RegExp(`^mongodb://okapi:${password}@127\\.0\\.0\\.1:${server.port}/a%20b\\?`),
    );
    if (process.platform === 'linux') {
      for (const name of ['cmdline', 'environ'])
        expect(await readFile(`/proc/${server.pid}/${name}`, 'utf8')).not.to.include(password);
    }
    await server.stop();
  });

  it('inherits neither NODE_OPTIONS nor a preload', async () => {
    const source = `const { startEmbeddedMongo } = await import(${JSON.stringify(SOURCE)});
      await startEmbeddedMongo({ dataDir: process.argv[1] }); console.log('started');`;
    const options = '--import=data:text/javascript,/main[.]ts$/.test(process.argv[1])&&process.exit(3)';
    const parent = startParent(source, [embedded.dataDir()], { env: { ...process.env, NODE_OPTIONS: options } });
    expect(await parent.line()).to.equal('started');
    await parent.kill();
  });

  it('says in one line why it does not start', async () => {
    const file = join(embedded.dataDir(), 'a-file');
    await writeFile(file, '');
    const error: unknown = await startEmbeddedMongo({ dataDir: file }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(StartupError);
    expect((error as Error).message).to.match(/^The embedded Mongo server did not start: .*DATA_DIR/);
    expect((error as Error).message).not.to.include('\n');
  });

  it('says in one line that its data is broken', async () => {
    const dataDir = join(embedded.dataDir(), 'broken');
    await (await startEmbeddedMongo({ dataDir })).stop();
    await writeFile(join(dataDir, 'mongo', 'data.sqlite'), 'no database at all, not even a little one');
    const error: unknown = await startEmbeddedMongo({ dataDir }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(StartupError);
    expect((error as Error).message).to.match(/not a database/);
  });
});
