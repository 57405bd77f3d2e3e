import { execFileSync } from 'node:child_process';
import fs, { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mock } from 'node:test';
import { expect } from 'chai';
import { getLogger, loggingStats, stopLogger } from '../../../src/core/logging/index.ts';
import { eventually } from '../../support/eventually.ts';
import { linesOf, removeTemporaryDirectories, start, temporaryDirectory } from './harness.ts';

const log = getLogger('app.test.degraded');
const WARNING = 'Log files cannot be written, lines go to the console';

/** `fs.write` on a disk of which only so many bytes are free; it takes part of a write, as a real one does. */
function diskWith(free: { bytes: number }): typeof fs.write {
  const write = (fd: number, bytes: Buffer, at: number, length: number, _at: null, done: WriteDone): void => {
    const fits = Math.min(length, free.bytes);
    free.bytes -= fits;
    if (fits > 0) fs.write(fd, bytes, at, fits, null, done);
    else
      setImmediate(
        done,
        Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
        0,
        bytes,
      );
  };
  return write as unknown as typeof fs.write;
}

type WriteDone = (error: Error | null, written: number, bytes: Buffer) => void;

describe('logging without a usable disk', () => {
  afterEach(() => stopLogger());
  after(removeTemporaryDirectories);

  it('goes to the console with one warning when the directory cannot be made, INFO too', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const { console } = start({ dir: join(file, 'logs'), level: 'ERROR' });
    expect(loggingStats().degraded).to.equal(true);
    log.info('still here');
    log.error('and here');
    await stopLogger();
    expect(console.lines.map((line) => line.message)).to.include.members([WARNING, 'still here', 'and here']);
    expect(console.lines.filter((line) => line.message === WARNING)).to.have.length(1);
  });

  it('writes what waited, each line once and whole, when the disk has room again', async () => {
    const free = { bytes: 10_050 };
    const { directory, console } = start({ level: 'ERROR' }, { write: diskWith(free), retryMs: 20 });
    for (let n = 0; n < 200; n++) log.info('line', { n });
    await eventually(() => loggingStats().degraded);
    log.info('while it is full');
    free.bytes = Number.POSITIVE_INFINITY;
    await eventually(() => !loggingStats().degraded);
    log.info('after');
    await stopLogger();
    const lines = linesOf(directory, 'app.json');
    const numbers = lines.filter((line) => line.message === 'line').map((line) => line.extra['n']);
    expect(numbers).to.deep.equal(Array.from({ length: 200 }, (_, n) => n));
    expect(lines.map((line) => line.message)).to.include.members(['while it is full', 'after']);
    expect(console.lines.map((line) => line.message)).to.deep.equal([
      WARNING,
      'while it is full',
      'Log files are written again',
    ]);
    expect(loggingStats().app.dropped).to.equal(0);
  });

  it('waits for no disk that stays full when it stops, and says what was lost', async () => {
    const { console } = start({ level: 'ERROR' }, { write: diskWith({ bytes: 0 }) });
    for (let n = 0; n < 100; n++) log.info('line', { n });
    await stopLogger();
    expect(loggingStats().app.dropped).to.be.at.least(100);
    expect(console.lines.some(({ extra }) => extra?.['destination'] === 'app file')).to.equal(true);
  });

  it('stops within 2 s on a disk that never answers, and says what was lost', async () => {
    const { console } = start({ level: 'ERROR' }, { write: (() => undefined) as unknown as typeof fs.write });
    log.info('lost');
    mock.timers.enable({ apis: ['setTimeout'] });
    const stopped = stopLogger();
    try {
      mock.timers.tick(2_000);
    } finally {
      mock.timers.reset();
    }
    // What has not been given up by then would be waited for without an end.
    await stopped;
    expect(console.lines.map((line) => line.extra)).to.deep.equal([{ destination: 'app file', dropped: 1 }]);
  });

  it('is bounded while the disk does not answer, and says how many lines it dropped', async () => {
    let held: (() => void)[] | undefined = [];
    const write = ((...args: Parameters<typeof fs.write>) => {
      if (held) held.push(() => fs.write(...args));
      else fs.write(...args);
    }) as unknown as typeof fs.write;
    const { directory } = start({ level: 'ERROR' }, { write, appQueueBytes: 100_000 });
    for (let n = 0; n < 2_000; n++) log.info('line', { n });
    expect(loggingStats().app.queuedBytes).to.be.at.most(100_000);
    const { dropped } = loggingStats().app;
    expect(dropped).to.be.above(1_000);
    await eventually(() => (held?.length ?? 0) > 0);
    const waiting = held;
    held = undefined;
    for (const go of waiting) go();
    await eventually(() => readFileSync(join(directory, 'app.json'), 'utf8').includes('dropped'));
    const told = linesOf(directory, 'app.json').find((line) => line.message.includes('dropped'));
    expect(told).to.include({ level: 'WARNING' });
    expect(told?.extra).to.deep.equal({ destination: 'app file', dropped });
  });

  it('survives a link that points at itself', async () => {
    const directory = temporaryDirectory();
    fs.symlinkSync('app-part.json', join(directory, 'app-part.json'));
    const { console } = start({ dir: directory });
    log.info('line');
    await eventually(() => loggingStats().degraded);
    await stopLogger();
    expect(console.lines.map((line) => line.message)).to.include('line');
  });

  it('degrades on a real full disk and recovers (where a file system can be mounted)', async () => {
    const directory = temporaryDirectory();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory], { stdio: 'ignore' });
    } catch {
      return;
    }
    try {
      mkdirSync(join(directory, 'logs'));
      writeFileSync(join(directory, 'ballast'), Buffer.alloc(40_000));
      const { console } = start({ dir: join(directory, 'logs'), level: 'ERROR' }, { retryMs: 20 });
      for (let n = 0; n < 100; n++) log.info('line', { n });
      await eventually(() => loggingStats().degraded);
      rmSync(join(directory, 'ballast'));
      await eventually(() => !loggingStats().degraded);
      await stopLogger();
      const lines = linesOf(join(directory, 'logs'), 'app.json').filter((line) => line.message === 'line');
      expect(lines.map((line) => line.extra['n'])).to.deep.equal(Array.from({ length: 100 }, (_, n) => n));
      expect(console.lines[0]?.extra['reason']).to.include('ENOSPC');
    } finally {
      await stopLogger();
      execFileSync('umount', [directory]);
    }
  });
});
