import { expect } from 'chai';
import fc from 'fast-check';
import { type Policy, policyOf } from '../../../../src/core/security/limits/policy.ts';
import { Window } from '../../../../src/core/security/limits/window.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const SECOND = 1_000;

/** One hit at `now`, as the limiter does it. */
function hit(window: Window, policy: Policy, now: number) {
  const isAllowed = window.hasRoom(policy, now);
  if (isAllowed) window.hit(policy, now);
  return window.decide(policy, now, isAllowed);
}

const limit = (max: number, windowSeconds = 60) => policyOf({ name: 'test', max, windowSeconds });

describe('the window of a limit', () => {
  it('allows as many as it says, tells how many are left and when there is more', () => {
    const window = new Window();
    const policy = limit(3);
    const told = [0, 10_000, 20_000, 30_000].map((now) => {
      const { isAllowed, remaining, resetMs } = hit(window, policy, now);
      return [isAllowed, remaining, resetMs];
    });
    expect(told).to.deep.equal([
      [true, 2, MINUTE],
      [true, 1, 50_000],
      [true, 0, 40_000],
      [false, 0, 30_000],
    ]);
  });

  it('slides: room comes back as each hit gets too old, and not all at once', () => {
    const window = new Window();
    const policy = limit(2);
    for (const now of [0, 30_000]) hit(window, policy, now);
    expect(hit(window, policy, MINUTE - 1).isAllowed).to.equal(false);
    expect(hit(window, policy, MINUTE).isAllowed).to.equal(true);
    expect(hit(window, policy, MINUTE + 1).isAllowed).to.equal(false);
    expect(hit(window, policy, 90_000).isAllowed).to.equal(true);
  });

  it('does not count who was refused, so that asking in vain makes nobody wait longer', () => {
    const window = new Window();
    const policy = limit(1);
    hit(window, policy, 0);
    for (let now = 0; now < MINUTE; now += 100) expect(hit(window, policy, now).isAllowed).to.equal(false);
    expect(hit(window, policy, MINUTE).isAllowed).to.equal(true);
  });

  it('takes a hit back as if it had not been', () => {
    const window = new Window();
    const policy = limit(2);
    const { at } = hit(window, policy, 0);
    hit(window, policy, 5);
    window.giveBack(policy, at);
    expect(hit(window, policy, 10)).to.include({ isAllowed: true, remaining: 0 });
    expect(hit(window, policy, 20)).to.include({ isAllowed: false, resetMs: MINUTE - 15 });
    window.giveBack(policy, 7);
    expect(hit(window, policy, 20).isAllowed, 'what was not counted cannot be taken back').to.equal(false);
  });

  it('says it is over only when nothing of it counts any more', () => {
    const window = new Window();
    const policy = limit(1);
    hit(window, policy, 0);
    expect([window.isOver(policy, MINUTE - 1), window.isOver(policy, MINUTE)]).to.deep.equal([false, true]);
  });

  const gaps = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 40_000 })),
    { minLength: 1, maxLength: 300 },
  );

  it('never allows more than max in any window, wherever that begins, and never fewer without a reason', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 150 }), gaps, (max, steps) => {
        const policy = limit(max);
        const window = new Window();
        const allowed: number[] = [];
        let now = 0;
        for (const step of steps) {
          now += step;
          const within = (ms: number) => allowed.filter((at) => at > now - ms).length;
          const { isAllowed, resetMs, remaining } = hit(window, policy, now);
          if (isAllowed) {
            expect(within(policy.windowMs), 'no more').to.be.below(max);
            allowed.push(now);
            expect(remaining).to.be.at.most(max - within(policy.windowMs));
          } else {
            expect(within(policy.windowMs + policy.slotMs), 'no fewer').to.be.at.least(max);
            expect(resetMs).to.be.within(1, policy.windowMs);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('has room exactly when it said it would', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 150 }), gaps, (max, steps) => {
        const policy = limit(max);
        const window = new Window();
        let now = 0;
        for (const step of steps) {
          now += step;
          const { isAllowed, resetMs } = hit(window, policy, now);
          if (isAllowed) continue;
          expect(window.hasRoom(policy, now + resetMs - 1)).to.equal(false);
          expect(window.hasRoom(policy, now + resetMs)).to.equal(true);
          now += resetMs;
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the window of failures of an account', () => {
  const policy = policyOf({ name: 'failures', max: 50, windowSeconds: 3600 }, 900);
  const fail = (window: Window, times: number, now: number) => {
    for (let n = 0; n < times; n++) expect(hit(window, policy, now).isAllowed).to.equal(true);
  };

  it('lets single ones through after 50, each after a wait that doubles from a second to fifteen minutes', () => {
    const window = new Window();
    fail(window, 50, 0);
    const waits: number[] = [];
    let now = 0;
    while (waits.length < 12) {
      const { isAllowed, resetMs } = hit(window, policy, now);
      expect(isAllowed).to.equal(false);
      waits.push(resetMs / SECOND);
      expect(hit(window, policy, now + resetMs - 1).isAllowed).to.equal(false);
      now += resetMs;
      expect(hit(window, policy, now).isAllowed).to.equal(true);
    }
    expect(waits).to.deep.equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  });

  it('opens at once when a try turns out to be no failure', () => {
    const window = new Window();
    fail(window, 50, 0);
    const { at } = hit(window, policy, SECOND);
    expect(hit(window, policy, SECOND + 1)).to.include({ isAllowed: false });
    window.giveBack(policy, at);
    expect(hit(window, policy, SECOND + 1).isAllowed).to.equal(true);
  });

  it('lets who never stops guessing have some 60 tries in the first hour and no more in any other', () => {
    const window = new Window();
    const tries: number[] = [];
    for (let now = 0; now < 24 * HOUR; now += 500) if (hit(window, policy, now).isAllowed) tries.push(now);
    for (let from = 0; from < 24 * HOUR; from += MINUTE) {
      expect(tries.filter((at) => at >= from && at < from + HOUR).length).to.be.at.most(63);
    }
  });
});

describe('a limit', () => {
  for (const [what, rule] of [
    ['a name that no header can have', { name: 'No Name', max: 1, windowSeconds: 1 }],
    ['no whole number', { name: 'test', max: 1.5, windowSeconds: 1 }],
    ['no window', { name: 'test', max: 1, windowSeconds: 0 }],
  ] as const) {
    it(`is refused with ${what}`, () => {
      expect(() => policyOf(rule)).to.throw(RangeError);
    });
  }
});
