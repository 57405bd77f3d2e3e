import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { getLogger, loggingStats, stopLogger } from '../../../src/core/logging/index.ts';
import { eventually } from '../../support/eventually.ts';
import { linesOf, removeTemporaryDirectories, start } from './harness.ts';

const MIB = 1024 * 1024;
const LINES = 80_000;
const log = getLogger('app.test.rotation');

/* The short form, with smaller files, is in files.test.ts. */
describe('the log files after 80 MB', () => {
  after(removeTemporaryDirectories);

  it('are the live one and five backups of at most 10 MB each, with no line missing between them', async () => {
    const { directory } = start({ level: 'ERROR' });
    for (let n = 0; n < LINES; n++) {
      log.info('fill', { n, filler: 'x'.repeat(760) });
      if (n % 5_000 === 0) await eventually(() => loggingStats().app.queuedBytes < MIB, { timeoutMs: 10_000 });
    }
    await stopLogger();
    const part = /^app-part(?:\.(\d+))?\.json$/;
    const numberOf = (name: string): number => Number(part.exec(name)?.[1] ?? 0);
    const names = readdirSync(directory).filter((name) => part.test(name));
    names.sort((a, b) => numberOf(a) - numberOf(b));
    expect(names).to.have.length(6);
    for (const name of names) expect(statSync(join(directory, name)).size).to.be.at.most(10 * MIB);
    expect(readlinkSync(join(directory, 'app.json'))).to.equal(names.at(-1));
    const numbers = names.flatMap((name) => linesOf(directory, name)).map((line) => Number(line.extra['n']));
    const first = numbers[0] ?? 0;
    expect(first).to.be.above(0);
    expect(numbers).to.deep.equal(Array.from({ length: LINES - first }, (_, index) => first + index));
    expect(loggingStats().app.dropped).to.equal(0);
  }).timeout(60_000);
});
