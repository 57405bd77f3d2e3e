import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryWindows } from '../../../../src/core/security/limits/memory-windows.ts';
import { policyOf } from '../../../../src/core/security/limits/policy.ts';

const policy = policyOf({ name: 'test', max: 5, windowSeconds: 60 });

describe('the callers of a limit that a process remembers', () => {
  let evicted = 0;
  const make = (capacity: number) => {
    evicted = 0;
    return new MemoryWindows(policy, () => evicted++, capacity);
  };
  const hit = (windows: MemoryWindows, caller: string, now: number, times = 1) => {
    const window = windows.windowOf(caller, now);
    for (let n = 0; n < times; n++) if (window.hasRoom(policy, now)) window.hit(policy, now);
    return window;
  };

  it('are a bounded number, whoever comes and whenever', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.nat(30_000)), { maxLength: 300 }), (visits) => {
        const windows = make(20);
        let now = 0;
        for (const [caller, later] of visits) {
          now += later;
          hit(windows, caller, now);
          expect(windows.size).to.be.at.most(20);
        }
      }),
    );
  });

  it('are forgotten, once they are over, as others come', () => {
    const windows = make(1_000);
    for (let n = 0; n < 500; n++) hit(windows, `early ${n}`, 0);
    for (let n = 0; n < 300; n++) hit(windows, `late ${n}`, 60_000);
    expect(windows.size).to.equal(300);
    expect(evicted, 'nobody too early').to.equal(0);
  });

  it('that are at their limit are not pushed out by a flood of others', () => {
    const windows = make(100);
    for (let n = 0; n < 3; n++) hit(windows, `limited ${n}`, 0, 5);
    for (let n = 0; n < 10_000; n++) hit(windows, `passer-by ${n}`, 1_000);
    expect(windows.size).to.equal(100);
    for (let n = 0; n < 3; n++) expect(windows.find(`limited ${n}`)?.hasRoom(policy, 1_000)).to.equal(false);
    expect(evicted).to.be.above(9_000);
  });
});
