import { appendFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { LineLateness } from '../../bench/counting/line-lateness.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/service.ts';

const line = (ageMs: number) => `${JSON.stringify({ timestamp: new Date(Date.now() - ageMs).toISOString() })}\n`;

describe('the age of log lines when they can be read', () => {
  it('is told of each line that comes, through a rotation, of none that was there', async () => {
    const folder = temporaryFolder();
    const [first, second, path] = ['app-1.json', 'app-2.json', 'app.json'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(first, line(3_600_000));
    symlinkSync(first, path);
    const lines = new LineLateness(path);
    const whole = line(60_000);
    appendFileSync(first, whole.slice(0, 10));
    appendFileSync(first, whole.slice(10));
    writeFileSync(second, line(0));
    symlinkSync(second, `${path}.new`);
    renameSync(`${path}.new`, path);
    const seen = await eventually(() => {
      appendFileSync(second, line(0));
      return lines.seen.count >= 3 && lines.close();
    });
    expect(seen.max).to.be.within(60_000, 3_599_999);
    rmSync(folder, { recursive: true });
  });
});
