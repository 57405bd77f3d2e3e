import { expect } from 'chai';
import { getLogger, loggingStats, stopLogger } from '../../../src/core/logging/index.ts';
import { eventually } from '../../support/eventually.ts';
import { linesOf, removeTemporaryDirectories, start } from './harness.ts';

const log = getLogger('app.test.console');

describe('the console', () => {
  afterEach(() => stopLogger());
  after(removeTemporaryDirectories);

  it('is bounded while its reader is stalled, and says on recovery how many lines it lost', async () => {
    const { console } = start({ files: false }, { consoleQueueBytes: 100_000 });
    console.mode = 'stalled';
    for (let n = 0; n < 2_000; n++) log.info('line', { n });
    const { dropped, queuedBytes } = loggingStats().console;
    expect(queuedBytes).to.be.at.most(100_000);
    expect(dropped).to.be.above(1_000);
    console.mode = 'reading';
    await eventually(() => console.text.includes('dropped'));
    const told = console.lines.at(-1);
    expect(told).to.include({ level: 'WARNING', message: `${dropped} log lines were dropped: console` });
    expect(console.lines).to.have.length(2_000 - dropped + 1);
  });

  it('that is gone costs its lines, not those of the files, and the files say so', async () => {
    const { console, directory } = start();
    console.mode = 'gone';
    for (let n = 0; n < 600; n++) log.info('line', { n });
    await stopLogger();
    expect(loggingStats().console.dropped).to.be.at.least(600);
    const lines = linesOf(directory, 'app.json');
    expect(lines.filter((line) => line.message === 'line')).to.have.length(600);
    expect(lines.some((line) => line.extra['destination'] === 'console')).to.equal(true);
  });

  it('takes a batch in pieces when its reader is slow', async () => {
    const { console } = start({ files: false });
    const whole = console.write.bind(console);
    let asked = 0;
    console.write = (bytes) => (++asked % 8 === 0 ? 0 : whole(bytes.subarray(0, 1_001)));
    for (let n = 0; n < 300; n++) log.info('line', { n, text: 'ü€𝄞' });
    await stopLogger();
    expect(console.text.split('\n')).to.have.length(301);
    expect(asked).to.be.above(50);
  });

  it('shows what is logged after the end', async () => {
    const { console } = start();
    await stopLogger();
    log.warning('late');
    expect(console.lines.map((line) => line.message)).to.deep.equal(['late']);
  });

  it('ends once however often it is told to', async () => {
    start();
    log.info('line');
    const [first, second] = [stopLogger(), stopLogger()];
    await Promise.all([first, second]);
    await stopLogger();
    expect(first).to.equal(second);
    expect(loggingStats().app).to.deep.equal({ accepted: 1, dropped: 0, queuedBytes: 0 });
  });
});
