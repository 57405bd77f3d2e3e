import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { getLogger, loggingStats, stopLogger } from '../../../src/core/logging/index.ts';
import { eventually } from '../../support/eventually.ts';
import { linesOf, removeTemporaryDirectories, start } from './harness.ts';

const MB = 1_000_000;
const LINES = 80_000;
const log = getLogger('app.test.rotation');

function partsIn(directory: string): string[] {
  const part = /^app-part(?:\.(\d+))?\.json$/;
  const numberOf = (name: string): number => Number(part.exec(name)?.[1] ?? 0);
  const names = readdirSync(directory).filter((name) => part.test(name));
  return names.sort((a, b) => numberOf(a) - numberOf(b));
}

/* The short forms, with smaller files, are in files.test.ts. */
describe('the log files after 80 MB', () => {
  afterEach(() => stopLogger());
  after(removeTemporaryDirectories);

  it('are the live one and five backups of at most 10 MB each, with no line missing between them', async () => {
    const { directory } = start({ level: 'ERROR' });
    for (let n = 0; n < LINES; n++) {
      log.info('fill', { n, filler: 'x'.repeat(760) });
      if (n % 5_000 === 0) await eventually(() => loggingStats().app.queuedBytes < MB);
    }
    await stopLogger();
    const names = partsIn(directory);
    expect(names).to.have.length(6);
    for (const name of names) expect(statSync(join(directory, name)).size).to.be.at.most(10 * MB);
    expect(readlinkSync(join(directory, 'app.json'))).to.equal(names.at(-1));
    const numbers = names.flatMap((name) => linesOf(directory, name)).map((line) => Number(line.extra['n']));
    const first = numbers[0] ?? 0;
    expect(first).to.be.above(0);
    expect(numbers).to.deep.equal(Array.from({ length: LINES - first }, (_, index) => first + index));
    expect(loggingStats().app.dropped).to.equal(0);
  }).timeout(120_000);

  it('are at most 60 MB at every moment, when they come faster than any disk takes them', async () => {
    const { directory } = start({ level: 'ERROR' });
    for (let n = 0; n < 5 * LINES; n++) {
      log.info('flood', { n, filler: 'x'.repeat(760) });
      if (n % 1_000 !== 999) continue;
      await nextTurn();
      const sizes = partsIn(directory).map(
        (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0,
      );
      expect(sizes.reduce((sum, size) => sum + size, 0)).to.be.at.most(60 * MB);
      expect(loggingStats().app.queuedBytes).to.be.at.most(34 * MB);
    }
    expect(loggingStats().app.dropped).to.be.above(0);
  }).timeout(120_000);
});
