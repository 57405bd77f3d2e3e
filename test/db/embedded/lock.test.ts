import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { StartupError } from '../../../src/core/errors/startup-error.ts';
import { type DataDirLock, lockDataDir, prepareDataDir } from '../../../src/db/embedded/lock.ts';
import { killParents, startParent } from './parent-process.ts';

const SOURCE = import.meta.resolve('../../../src/db/embedded/lock.ts');
const HOLDS_THE_LOCK = `const { lockDataDir } = await import(${JSON.stringify(SOURCE)});
  await lockDataDir(process.argv[1], { waitMs: 0 }); console.log('locked'); setInterval(() => {}, 1000);`;

describe('the lock of a data folder', () => {
  let folder = '';
  const locks: DataDirLock[] = [];

  async function lock(waitMs: number): Promise<DataDirLock> {
    const taken = await lockDataDir(folder, { waitMs });
    locks.push(taken);
    return taken;
  }

  async function refusalOf(promise: Promise<unknown>): Promise<StartupError> {
    const refusal = await promise.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refusal).to.be.instanceOf(StartupError);
    return refusal as StartupError;
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'okapi-lock-'));
  });

  afterEach(async () => {
    for (const taken of locks.splice(0)) taken.release();
    await killParents();
    await rm(folder, { recursive: true });
  });

  it('refuses a second instance in one line that names DATA_DIR and the folder', async () => {
    await startParent(HOLDS_THE_LOCK, [folder]).line();
    const { message } = await refusalOf(lock(100));
    expect(message)
      .to.match(/^DATA_DIR \(.*\) is in use by another instance: .+$/)
      .and.contain(folder);
  });

  it('refuses a second one in the same process too', async () => {
    await lock(0);
    await refusalOf(lock(0));
  });

  it('is free as soon as its holder is killed', async () => {
    const parent = startParent(HOLDS_THE_LOCK, [folder]);
    await parent.line();
    await parent.kill();
    expect(await lock(0)).to.have.property('release');
  });

  it('waits for a holder that is about to let go, without blocking', async () => {
    const first = await lock(0);
    const second = lock(1_000);
    setImmediate(() => first.release());
    expect(await second).to.have.property('release');
  });

  it('makes a missing folder for its owner alone', async () => {
    const missing = join(folder, 'a', 'b');
    const made = await prepareDataDir(missing);
    expect((await stat(made)).mode & 0o777).to.equal(0o700);
  });

  it('refuses a data folder that is a file, in one line', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const { message } = await refusalOf(prepareDataDir(file));
    expect(message).to.match(/^DATA_DIR \(.*file\) cannot be used .+$/);
  });
});
