import { expect } from 'chai';
import { ServiceUnavailableError } from '../../../src/core/index.ts';
import type { AggregatedMessage, Batch } from '../../../src/db/outbox/outbox.ts';
import { createRefusals } from '../../../src/domains/activity/refusals.ts';

const MINUTE_MS = 60_000;
const { signal } = new AbortController();

describe('refusals of callers who are not signed in', () => {
  let nowMs: number;
  let isAway: boolean;
  let counted: AggregatedMessage[];
  let recorded: string[];
  let refusals: ReturnType<typeof createRefusals>;
  beforeEach(() => {
    nowMs = 100 * MINUTE_MS;
    isAway = false;
    counted = [];
    recorded = [];
    const fail = () => {
      if (isAway) throw new ServiceUnavailableError('away', { code: 'postgres.unavailable' });
    };
    const database = {
      async query(_statement: unknown, [event]: readonly unknown[] = []) {
        fail();
        recorded.push(String(event));
        return [];
      },
    };
    const outbox = {
      async addUp({ messages }: Batch) {
        fail();
        counted.push(...messages);
      },
      async writeOrDrop(_quantity: number, write: () => Promise<unknown>) {
        await write();
      },
    };
    refusals = createRefusals(database, outbox, () => nowMs);
  });

  const total = () => counted.reduce((sum, { quantity }) => sum + quantity, 0);
  const told = () => counted.map(({ message, quantity }) => ({ ...message, quantity }));

  it('are one message for each address, kind and minute, due when the minute is over', async () => {
    for (let n = 0; n < 3; n++) refusals.note('auth.refused', '192.0.2.1');
    refusals.note('auth.limited', '192.0.2.1');
    refusals.note('auth.refused', '192.0.2.2');
    await refusals.task.run(signal);
    expect(told()).to.deep.equal([
      { refusals: { type: 'auth.refused', ip_address: '192.0.2.1' }, quantity: 3 },
      { refusals: { type: 'auth.limited', ip_address: '192.0.2.1' }, quantity: 1 },
      { refusals: { type: 'auth.refused', ip_address: '192.0.2.2' }, quantity: 1 },
    ]);
    for (const { at, dueAt } of counted) {
      expect(at.getTime()).to.equal(nowMs);
      expect(dueAt.getTime()).to.be.above(nowMs + MINUTE_MS);
    }
    expect(new Set(counted.map(({ key }) => key)).size).to.equal(3);
  });

  it('keep their key within a minute, and only what is new is added to it', async () => {
    refusals.note('auth.refused', '192.0.2.1');
    await refusals.task.run(signal);
    nowMs += 30_000;
    refusals.note('auth.refused', '192.0.2.1');
    refusals.note('auth.refused', '192.0.2.1');
    await refusals.task.run(signal);
    await refusals.task.run(signal);
    nowMs += 30_000;
    refusals.note('auth.refused', '192.0.2.1');
    await refusals.task.run(signal);
    const [first, second, third] = counted.map(({ key }) => key);
    expect([first === second, second === third]).to.deep.equal([true, false]);
    expect(counted.map(({ quantity }) => quantity)).to.deep.equal([1, 2, 1]);
  });

  it('take no more room for a hundred thousand addresses than for ten thousand', async () => {
    for (let n = 0; n < 100_000; n++) refusals.note('auth.refused', `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
    await refusals.task.run(signal);
    expect(counted.length).to.be.at.most(10_001);
    expect(total()).to.equal(100_000);
    const others = told().filter((each) => JSON.stringify(each).includes('null'));
    expect(others).to.deep.equal([{ refusals: { type: 'auth.refused', ip_address: null }, quantity: 90_000 }]);
  });

  it('of a user are recorded one by one', async () => {
    refusals.note('auth.refused', '192.0.2.1', 'first');
    refusals.note('auth.refused', '192.0.2.1', 'second');
    await refusals.task.run(signal);
    expect(recorded).to.deep.equal(['first', 'second']);
    expect(counted).to.deep.equal([]);
  });

  it('of users count for their address when too many of them wait', async () => {
    for (let n = 0; n < 1_005; n++) refusals.note('auth.refused', '192.0.2.1', `${n}`);
    await refusals.task.run(signal);
    expect(recorded).to.have.length(1_000);
    expect(total()).to.equal(5);
  });

  it('wait while PostgreSQL is away, and are written once when it is back', async () => {
    isAway = true;
    refusals.note('auth.refused', '192.0.2.1', 'of a user');
    refusals.note('auth.refused', '192.0.2.1');
    await refusals.task.run(signal);
    expect([recorded, counted]).to.deep.equal([[], []]);
    isAway = false;
    refusals.note('auth.refused', '192.0.2.1');
    await refusals.task.run(signal);
    await refusals.task.run(signal);
    expect(recorded).to.deep.equal(['of a user']);
    expect(total()).to.equal(2);
  });

  it('are written when the service stops', async () => {
    refusals.note('auth.limited', '192.0.2.1');
    await refusals.drain();
    expect(total()).to.equal(1);
  });
});
