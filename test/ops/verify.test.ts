import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../ops/names/expressions.ts';
import { judge, lineOf, summaryOf } from '../../ops/verify/report.ts';

describe('npm run verify:observability', () => {
  it('says what was left out where no program of others is to be had, and does not fail for that', () => {
    const { stdout, status } = spawnSync(process.execPath, ['ops/verify/run.ts'], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { PATH: dirname(process.execPath) },
    });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).to.equal(
      'not found in OKAPI_PEERS or PATH: prometheus, promtool, otelcol, jaeger, victoria-logs, victoria-metrics',
    );
    const checks = lines.slice(1, -1);
    expect(checks.filter((line) => !line.startsWith('not run'))).to.deep.equal([]);
    expect(checks.length).to.be.greaterThan(10);
    expect(lines.at(-1)).to.equal(`0 hold, 0 fall short, ${checks.length} not run`);
    expect(status).to.equal(0);
  });

  it('tells what holds, what falls short, and what a missing program keeps it from', async () => {
    const missing = new Set(['jaeger']);
    const results = [
      await judge({ name: 'a', needs: [], run: async () => 'seen' }, missing),
      await judge({ name: 'b', needs: [], run: () => Promise.reject(new Error('not seen')) }, missing),
      await judge({ name: 'c', needs: ['jaeger'], run: async () => 'seen' }, missing),
    ];
    expect(results.map(lineOf)).to.deep.equal([
      'holds        a (seen)',
      'falls short  b (not seen)',
      'not run      c (without jaeger)',
    ]);
    expect(summaryOf(results)).to.equal('1 hold, 1 fall short, 1 not run');
  });
});
