import { expect } from 'chai';
import type { Measurement } from '../../bench/measure.ts';
import { judge } from '../../bench/report/judge.ts';
import { barsOf, plot } from '../../bench/report/plot.ts';
import { groupName, selfTimes } from '../../bench/report/profile-summary.ts';
import { comparisonTable, targetTable } from '../../bench/report/table.ts';

const round = (perSecond: number, p99Ms = 10): Measurement => ({
  requests: perSecond,
  perSecond,
  p50Ms: 1,
  p99Ms,
  notOk: 0,
  socketErrors: 0,
  timeouts: 0,
});
const compared = {
  rounds: { raw: [round(100), round(200)], okapi: [round(36), round(64)], 'okapi-off': [round(40, 5), round(80, 5)] },
  tracedShare: { okapi: 0.9999 },
  bodyBytes: {},
  failures: [],
  notes: [],
};

describe('the report of the benchmark', () => {
  it('judges each target by the median over the rounds', () => {
    const judgements = judge({ compared, start: { median: 900, min: 800, max: 1200 } });
    expect(judgements.map(({ id, isMet }) => [id, isMet])).to.deep.equal([
      ['raw', true],
      ['telemetry', true],
      ['p99', false],
      ['start', true],
    ]);
    expect(targetTable(judgements).filter((line) => line.endsWith('MISSED'))).to.have.length(1);
  });

  it('never rounds a lost span away', () => {
    expect(comparisonTable(compared).find((line) => line.includes('everything on'))).to.match(/0\.34 .* 99\.9 %$/);
  });

  it('draws a bar for each subject, ours apart', () => {
    const bars = barsOf(compared);
    expect(bars.map(({ label, isOurs }) => [label, isOurs])).to.deep.equal([
      ['node:http', false],
      ['Okapi, telemetry and logs off', true],
      ['Okapi, everything on', true],
    ]);
    const svg = plot(bars, 'A & B', 'c');
    expect(svg).to.match(/^<svg [^>]+>\n {2}<title>A &amp; B<\/title>/);
    expect(svg.match(/<line /g)).to.have.length(3);
    expect(barsOf({ ...compared, rounds: {} })).to.deep.equal([]);
  });
});

describe('the summary of a profile', () => {
  const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 9 });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(idle)', '') },
      { id: 2, callFrame: frame('respond', 'file:///x/node_modules/koa/lib/application.js') },
      { id: 3, callFrame: frame('finish', `file://${process.cwd()}/src/core/http/telemetry.ts`) },
      { id: 4, callFrame: frame('respond', 'file:///x/node_modules/koa/lib/application.js') },
    ],
    samples: [1, 2, 3, 4],
    timeDeltas: [1000, 100, 100, 200],
  };

  it('adds up the time in each function itself, idling left out', () => {
    expect(selfTimes(profile)).to.deep.equal([
      { name: 'respond ~/koa/lib/application.js:10', share: 0.75 },
      { name: 'finish src/core/http/telemetry.ts:10', share: 0.25 },
    ]);
  });

  it('adds it up by package or folder too', () => {
    expect(selfTimes(profile, groupName).map(({ name }) => name)).to.deep.equal(['koa', 'src/core/http']);
    expect(groupName(frame('x', 'node:internal/streams/readable'))).to.equal('node:internal');
  });
});
