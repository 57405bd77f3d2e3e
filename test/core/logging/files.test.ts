import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { getLogger, loggingStats, stopLogger } from '../../../src/core/logging/index.ts';
import { claimLogNames } from '../../../src/core/logging/log-names.ts';
import { eventually } from '../../support/eventually.ts';
import { type Line, linesOf, parseLines, removeTemporaryDirectories, start, temporaryDirectory } from './harness.ts';

const log = getLogger('app.test.files');
const SMALL = { maxFileBytes: 512 * 1024 + 40_000 };
const MAX = SMALL.maxFileBytes;

function parts(directory: string): string[] {
  const number = (name: string): number => Number(/\.(\d+)\./.exec(name)?.[1] ?? 0);
  const names = readdirSync(directory).filter((name) => name.startsWith('app-part'));
  return names.sort((a, b) => number(a) - number(b));
}

function allLines(directory: string): Line[] {
  return parts(directory).flatMap((name) => linesOf(directory, name));
}

/** Logs so many lines of about a kilobyte, numbered, and lets the files take them. */
async function fill(from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n++) {
    log.info('fill', { n, filler: 'x'.repeat(800) });
    if (n % 64 === 63) await eventually(() => loggingStats().app.queuedBytes < 200_000);
  }
}

describe('log files', () => {
  afterEach(() => stopLogger());
  after(removeTemporaryDirectories);

  it('have a line 250 ms after the call, however little is logged', async () => {
    const { directory } = start();
    await eventually(() => existsSync(join(directory, 'app.json')));
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      log.info('alone');
      mock.timers.tick(250);
    } finally {
      mock.timers.reset();
    }
    // No timer is left that could do it: the line is on its way, or it never will be.
    const written = () => linesOf(directory, 'app.json').map((line) => line.message);
    expect(await eventually(() => written().length > 0 && written())).to.deep.equal(['alone']);
  });

  it('are six of bounded size at every moment of a flood, with one descriptor, and what was dropped is said', async () => {
    const { directory } = start({ level: 'ERROR' }, { ...SMALL, appQueueBytes: 500_000 });
    for (let n = 0; n < 12_000; n++) {
      log.info('flood', { n, filler: 'x'.repeat(800) });
      if (n % 200 !== 199) continue;
      await nextTurn();
      const sizes = parts(directory).map(
        (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0,
      );
      expect(sizes.length).to.be.at.most(6);
      for (const size of sizes) expect(size).to.be.at.most(MAX);
      // The one before may still be closing.
      if (process.platform === 'linux') expect(openParts(directory)).to.have.length.at.most(2);
    }
    expect(parts(directory).length).to.be.above(1);
    expect(loggingStats().app.dropped).to.be.above(0);
    await eventually(() => loggingStats().app.queuedBytes === 0);
    if (process.platform === 'linux') {
      await eventually(() => openParts(directory).length === 1);
    }
    await stopLogger();
    const told = allLines(directory).filter((line) => line.message.includes('dropped'));
    const { dropped } = loggingStats().app;
    expect(told.reduce((sum, line) => sum + Number(line.extra['dropped']), 0)).to.equal(dropped);
    if (process.platform === 'linux') expect(openParts(directory)).to.deep.equal([]);
  });

  /** The parts of `app.json` that this process has open. */
  function openParts(directory: string): string[] {
    const open = readdirSync('/proc/self/fd').map(target);
    return open.filter((path) => path.startsWith(join(directory, 'app-part')));
  }

  /** What a descriptor leads to; the one that the folder was read by is closed again. */
  function target(fd: string): string {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  }

  it('rotate by size, keep the live file and five backups, and lose nothing in between', async () => {
    const { directory } = start({ level: 'ERROR' }, SMALL);
    await fill(0, 1_200);
    await stopLogger();
    const names = parts(directory);
    expect(names).to.have.length(6);
    for (const name of names) expect(statSync(join(directory, name)).size).to.be.at.most(MAX);
    expect(readlinkSync(join(directory, 'app.json'))).to.equal(names.at(-1));
    const numbers = allLines(directory).map((line) => Number(line.extra['n']));
    const first = numbers[0] ?? 0;
    expect(numbers).to.deep.equal(Array.from({ length: 1_200 - first }, (_, n) => first + n));
  });

  it('go on where they were after a restart, also where the path looks like a regular expression', async () => {
    const dir = join(temporaryDirectory(), 'c++ (copy) [1');
    for (let run = 0; run < 4; run++) {
      start({ dir, level: 'ERROR' }, SMALL);
      await fill(run * 300, 300);
      await stopLogger();
    }
    const numbers = allLines(dir).map((line) => Number(line.extra['n']));
    expect(parts(dir)).to.have.length(6);
    expect(numbers).to.deep.equal(numbers.map((_, index) => index + (numbers[0] ?? 0)));
    expect(numbers.at(-1)).to.equal(1_199);
    expect(readlinkSync(join(dir, 'app.json'))).to.equal(parts(dir).at(-1));
  });

  it('start on a whole line after a torn one, with a broken audit file and a plain app.json in the way', async () => {
    const { directory: dir } = start();
    log.info('before');
    await stopLogger();
    appendFileSync(join(dir, 'app-part.json'), '{"timestamp":"2026-');
    writeFileSync(join(dir, '.app-audit.json'), '{"keep":');
    rmSync(join(dir, 'app.json'));
    writeFileSync(join(dir, 'app.json'), 'old\n');
    start({ dir });
    log.info('after');
    await stopLogger();
    expect(linesOf(dir, 'app.json').map((line) => line.message)).to.deep.equal(['before', 'after']);
    expect(readFileSync(join(dir, 'app.json.old'), 'utf8')).to.equal('old\n');
  });

  it('come back when somebody removes them', async () => {
    const { directory } = start({}, { checkMs: 0 });
    log.info('one');
    await eventually(() => linesOf(directory, 'app.json').length === 1);
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
    await eventually(() => {
      log.info('again');
      return existsSync(join(directory, 'app.json')) && statSync(join(directory, 'app.json')).size > 0;
    });
    expect(loggingStats().degraded).to.equal(false);
  });

  it('of dead processes are kept for the newest three', () => {
    const dir = temporaryDirectory();
    for (let pid = 1; pid <= 5; pid++) {
      for (const name of [`app.${pid}-part.json`, `error.${pid}-part.json`, `.lock.${pid}.sqlite`]) {
        writeFileSync(join(dir, name), '');
        utimesSync(join(dir, name), Date.now() / 1000, Date.now() / 1000 - 100 + pid);
      }
    }
    const owner = claimLogNames(dir);
    const second = claimLogNames(dir);
    owner.release();
    second.release();
    expect(owner.suffix).to.equal('');
    expect(second.suffix).to.equal(`.${process.pid}`);
    const pids = readdirSync(dir).map((name) => /^app\.(\d)-part/.exec(basename(name))?.[1]);
    expect(pids.filter(Boolean)).to.have.members(['3', '4', '5']);
  });

  it('hold exactly one parsable line for each call under many errors', async () => {
    const { directory } = start({ level: 'ERROR' });
    for (let n = 0; n < 500; n++) log.exception('failed', new Error(`no ${n}`), { n });
    await stopLogger();
    expect(linesOf(directory, 'error.json')).to.have.length(500);
    expect(parseLines(readFileSync(join(directory, 'app.json'), 'utf8'))).to.have.length(500);
  });
});
