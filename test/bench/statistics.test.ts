import { expect } from 'chai';
import { joined } from '../../bench/load/result.ts';
import { areApart, median, pairedRatio, spreadOf } from '../../bench/report/statistics.ts';

describe('the statistics of the benchmark', () => {
  it('takes the middle of an odd number of values, and between the middle two of an even one', () => {
    expect(median([9, 1, 5])).to.equal(5);
    expect(median([4, 1, 3, 2])).to.equal(2.5);
    expect(median([7])).to.equal(7);
    expect(() => median([])).to.throw('no median');
  });

  it('takes for a percentile of several runs the median of theirs, and adds up what was counted', () => {
    const run = { requests: 10, perSecond: 10, p50Ms: 1, p99Ms: 2, notOk: 1, socketErrors: 0, timeouts: 2 };
    const stalled = { ...run, requests: 4, perSecond: 4, p99Ms: 90 };
    const all = { requests: 24, perSecond: 8, p50Ms: 1, p99Ms: 2, notOk: 3, socketErrors: 0, timeouts: 6 };
    expect(joined([run, stalled, run])).to.deep.equal(all);
  });

  it('shows how far the rounds lie apart', () => {
    expect(spreadOf([3, 1, 2])).to.deep.equal({ median: 2, min: 1, max: 3 });
  });

  it('takes ratios within a round, so that a slow minute of the machine cancels out', () => {
    const okapi = [100, 50, 100];
    const raw = [400, 200, 400];
    expect(pairedRatio(okapi, raw)).to.deep.equal({ median: 0.25, min: 0.25, max: 0.25 });
  });

  it('leaves out the rounds that one of the two lacks', () => {
    expect(pairedRatio([1, 1, 1], [2]).median).to.equal(0.5);
  });

  it('calls two spreads apart only when they share no value', () => {
    const stored = { median: 0.3, min: 0.28, max: 0.32 };
    expect(areApart({ median: 0.31, min: 0.29, max: 0.35 }, stored)).to.equal(false);
    expect(areApart({ median: 0.25, min: 0.24, max: 0.27 }, stored)).to.equal(true);
    expect(areApart({ median: 0.35, min: 0.33, max: 0.36 }, stored)).to.equal(true);
  });

  it('take a figure that was measured once for the same when it is nearly that', () => {
    const once = (value: number) => ({ median: value, min: value, max: value });
    expect(areApart(once(1.087), once(1.09))).to.equal(false);
    expect(areApart(once(1.2), once(1.09))).to.equal(true);
  });
});
