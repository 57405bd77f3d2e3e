import { mock } from 'node:test';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { expect } from 'chai';
import fc from 'fast-check';
import { Account } from '../../../../src/core/telemetry/ledger.ts';
import { BatchExporter } from '../../../../src/core/telemetry/otlp/batch-exporter.ts';
import type { Outcome } from '../../../../src/core/telemetry/otlp/post.ts';
import type { ProtobufWriter } from '../../../../src/core/telemetry/otlp/protobuf-writer.ts';
import { expectBalance } from '../balance.ts';

const SCOPE = { name: 'test' };
const TAKEN: Outcome = { kind: 'accepted', rejected: 0, isSent: true };
const REFUSED: Outcome = { kind: 'refused', status: 400 };
const FULL: Outcome = { kind: 'later', status: 429, retryAfterMs: 60_000 };
const SILENT: Outcome = { kind: 'unanswered', reason: 'ECONNRESET', wasSent: true };
const AWAY: Outcome = { kind: 'unanswered', reason: 'ECONNREFUSED', wasSent: false };
const settled = () => new Promise(setImmediate);

/** An exporter whose receiver answers when it is told to, in the order in which it was asked. */
function exporterFor({ maxBytes = 1e6, batchRecords = 2 } = {}) {
  const account = new Account();
  const asked: ((outcome: Outcome) => void)[] = [];
  const bodies: Uint8Array[] = [];
  const exporter = new BatchExporter({
    account,
    what: 'spans',
    resource: resourceFromAttributes({}),
    post: (_head, records) => {
      bodies.push(records);
      return new Promise((resolve) => asked.push(resolve));
    },
    maxBytes,
    maxRecords: Number.POSITIVE_INFINITY,
    batchRecords,
    scheduledDelayMs: 1000,
  });
  const batch = exporter.queue.open(SCOPE);
  return {
    account,
    exporter,
    asked,
    bodies,
    add(records: number, bytes = 10) {
      for (let each = 0; each < records; each++) {
        account.started++;
        exporter.queue.add(batch, (writer: ProtobufWriter, text: string) => writer.string(1, text), 'x'.repeat(bytes));
      }
    },
    async answer(outcome: Outcome) {
      asked.shift()?.(outcome);
      await settled();
    },
  };
}

describe('the memory of a batch', () => {
  const LARGE = 40_000;

  it('is used again once the receiver has all of it, and not before', async () => {
    const { add, answer, bodies } = exporterFor({ batchRecords: 1 });
    add(1, LARGE);
    await answer({ kind: 'later', status: 503, retryAfterMs: 0 });
    add(2, LARGE);
    const [kept] = bodies;
    expect(kept?.length, 'is sent again as it was').to.equal(LARGE + 4);
    expect(Buffer.from(kept ?? []).toString('latin1', 4), 'nothing else was written into it').to.equal(
      'x'.repeat(LARGE),
    );
  });

  it('is not used again where an answer came before all was sent', async () => {
    const early = exporterFor({ batchRecords: 1 });
    const late = exporterFor({ batchRecords: 1 });
    for (const [{ add, answer, bodies }, isSent] of [
      [early, false],
      [late, true],
    ] as const) {
      for (let n = 0; n < 4; n++) {
        add(1, LARGE);
        await answer({ kind: 'accepted', rejected: 0, isSent });
      }
      const memories = new Set(bodies.map(({ buffer }) => buffer));
      expect(memories.size, isSent ? 'sent' : 'not sent').to.equal(isSent ? 2 : 4);
    }
  });
});

describe('the account of what is exported', () => {
  it('has every record in one place, from the queue to the answer of the receiver', async () => {
    const { account, exporter, add, answer } = exporterFor();
    add(5);
    expect(account.view().in_flight).to.deep.equal({ open: 0, queued: 1, sending: 4 });
    expect(account.view().unacknowledged).to.equal(4);
    await answer(TAKEN);
    expect(account.view()).to.deep.include({ exported: 2, in_flight: { open: 0, queued: 1, sending: 2 } });
    await answer(REFUSED);
    expect(account.view().dropped).to.deep.include({ rejected: 2 });
    const flushed = exporter.flush();
    await answer({ kind: 'accepted', rejected: 1, isSent: true });
    await flushed;
    expect(account.view()).to.deep.include({ started: 5, exported: 2, unacknowledged: 0 });
    expect(account.view().dropped, 'partial success').to.deep.include({ rejected: 3 });
    expectBalance(account.view());
  });

  it('tells what may have arrived although nobody said so, and loses none of it', async () => {
    const { account, exporter, asked, add, answer } = exporterFor();
    add(2);
    await answer(SILENT);
    expect(account.view()).to.deep.include({ unacknowledged: 2, in_flight: { open: 0, queued: 2, sending: 0 } });
    void exporter.flush();
    await answer(FULL);
    expect(account.view().unacknowledged, 'a refusal later does not take the first sending back').to.equal(2);
    void exporter.flush();
    await answer(TAKEN);
    expect(asked).to.deep.equal([]);
    expect(account.view()).to.deep.include({ exported: 2, unacknowledged: 0 });
    expectBalance(account.view());
  });

  it('does not take for sent what found nobody or was answered with a refusal', async () => {
    const { account, exporter, add, answer } = exporterFor();
    add(2);
    await answer(AWAY);
    void exporter.flush();
    await answer(FULL);
    expect(account.view()).to.deep.include({ unacknowledged: 0, in_flight: { open: 0, queued: 2, sending: 0 } });
  });

  it('counts what has not left in the end as lost with the process, and changes no more', async () => {
    const { account, add, answer } = exporterFor();
    add(5);
    account.started++;
    await answer(TAKEN);
    const view = account.close();
    expect(view).to.deep.include({ exported: 2, in_flight: { open: 0, queued: 0, sending: 0 } });
    expect(view.dropped.shutdown, 'two on their way, one that waits, one that has not ended').to.equal(4);
    expectBalance(view);
    await answer(TAKEN);
    expect(account.view()).to.deep.equal(view);
  });

  it('balances whatever the receiver does, and everything within the queue is delivered once it is well', async () => {
    const outcome = fc.constantFrom(TAKEN, REFUSED, FULL, SILENT, AWAY, {
      kind: 'accepted',
      rejected: 1,
      isSent: true,
    } as Outcome);
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: 9 }), bytes: fc.integer({ min: 1, max: 400 }) }),
      fc.record({ answer: outcome }),
      fc.record({ flush: fc.constant(true) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { account, exporter, asked, add, answer } = exporterFor({ maxBytes: 3000 });
        for (const each of steps) {
          if ('add' in each) add(each.add, each.bytes);
          else if ('answer' in each) await answer(each.answer);
          else void exporter.flush();
          expectBalance(account.view());
          expect(exporter.queue.bytes).to.be.below(3000 + 410);
        }
        const flushed = exporter.flush();
        while (asked.length > 0) await answer(TAKEN);
        await flushed;
        const { started, exported, dropped, in_flight, unacknowledged } = account.view();
        expect(in_flight).to.deep.equal({ open: 0, queued: 0, sending: 0 });
        expect(exported + dropped.rejected + dropped.queue_full).to.equal(started);
        expect(exporter.queue.bytes).to.equal(0);
        // What was refused after it had been sent without an answer may have arrived.
        expect(unacknowledged).to.be.at.most(dropped.rejected);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a receiver that is away or full', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('is left alone for as long as it asks, and then tried with one batch', async () => {
    const { asked, add, answer } = exporterFor();
    add(8);
    expect(asked).to.have.lengthOf(4);
    for (let each = 0; each < 4; each++) await answer(FULL);
    add(2);
    mock.timers.tick(59_999);
    expect(asked).to.have.lengthOf(0);
    mock.timers.tick(1);
    expect(asked).to.have.lengthOf(1);
    await answer(TAKEN);
    expect(asked, 'once it is well').to.have.lengthOf(4);
  });

  it('is tried later each time, but each half minute or so at the latest', async () => {
    const { asked, add, answer } = exporterFor();
    add(4);
    for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
      while (asked.length > 0) await answer(AWAY);
      mock.timers.tick(seconds * 800 - 1);
      expect(asked, `before ${seconds} s`).to.have.lengthOf(0);
      mock.timers.tick(seconds * 400 + 1);
      expect(asked, `after ${seconds} s`).to.have.lengthOf(1);
    }
  });

  it('costs no more memory than the bound, and what came too late for it is counted', async () => {
    const { account, exporter, asked, add, answer } = exporterFor({ maxBytes: 10_000 });
    add(1000, 100);
    while (asked.length > 0) await answer(AWAY);
    add(1000, 100);
    expect(exporter.queue.bytes).to.be.within(10_000, 10_110);
    const { dropped, in_flight } = account.view();
    expect(in_flight.queued).to.equal(99);
    expect(dropped.queue_full).to.equal(2000 - 99);
    expectBalance(account.view());
  });
});
