import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { stopLogger } from '../../../src/core/logging/index.ts';
import {
  outboxDropped,
  outboxOldestAge,
  outboxUndelivered,
  outboxUsage,
} from '../../../src/core/telemetry/metrics/service-metrics.ts';
import type { AggregatedMessage } from '../../../src/db/outbox/outbox.ts';
import { start as startLogging } from '../../core/logging/harness.ts';
import { eventually } from '../../support/eventually.ts';
import { append, createTestOutbox, FakeReceiver } from './harness.ts';

type Row = { message: { text: string }; quantity: number; at: Date };

describe('what the outbox holds', () => {
  let outbox: Awaited<ReturnType<typeof createTestOutbox>>;
  beforeEach(async () => {
    outbox = await createTestOutbox();
  });
  afterEach(() => outbox.close());

  const rows = () =>
    outbox.database.query<Row>({
      text: 'select message, quantity, at from outbox where delivered_at is null order by id',
    });
  const read = (metric: { series(): Iterable<{ value: number }> }) => [...metric.series()][0]?.value;
  const gauges = () => [outboxUndelivered, outboxUsage, outboxOldestAge].map(read);
  const aggregate = (key: string, quantity: number, dueAt = new Date(0)) => ({
    key,
    at: new Date(1_000),
    dueAt,
    quantity,
    message: { text: key },
  });

  const batch = (...messages: AggregatedMessage[]) => ({ writer: randomUUID(), number: 1, messages });

  it('is removed an hour after it was delivered, and not before', async () => {
    const stream = randomUUID();
    for (const text of ['old', 'new', 'waiting']) await append(outbox.database, stream, text);
    const deliveredAgo = (text: string, ago: string) =>
      outbox.database.query(
        { text: `update outbox set delivered_at = now() - $2::interval where message ->> 'text' = $1` },
        [text, ago],
      );
    await deliveredAgo('old', '61 minutes');
    await deliveredAgo('new', '59 minutes');
    outbox.startWorker(new FakeReceiver(), { only: /^remove/ });
    await eventually(async () => {
      const left = await outbox.database.query<Row>({ text: 'select message from outbox order by id' });
      return left.map(({ message }) => message.text).join() === 'new,waiting';
    });
  });

  it('is told by metrics: how much it is, of how much it may be, and how old', async () => {
    for (let n = 0; n < 4; n++) await append(outbox.database, randomUUID(), `${n}`);
    await outbox.database.query({ text: `update outbox set at = now() - interval '90 seconds' where id = 1` });
    outbox.startWorker(new FakeReceiver(), { max: 5, only: /^measure/ });
    await eventually(() => read(outboxUndelivered) === 4);
    const [undelivered, usage, age] = gauges();
    expect({ undelivered, usage }).to.deep.equal({ undelivered: 4, usage: 0.8 });
    expect(age).to.be.within(90, 600);
  });

  it('is told by a warning from 80 % of what it may be on, and by another once that is reached', async () => {
    for (let n = 0; n < 4; n++) await append(outbox.database, randomUUID(), `${n}`);
    const { console } = startLogging({ files: false });
    try {
      outbox.startWorker(new FakeReceiver(), { max: 6, only: /^measure/ });
      await eventually(() => read(outboxUsage) === 4 / 6);
      outbox.startWorker(new FakeReceiver(), { max: 5, only: /^measure/ });
      await eventually(() => read(outboxUsage) === 0.8);
      await append(outbox.database, randomUUID(), 'the last');
      outbox.startWorker(new FakeReceiver(), { max: 5, only: /^measure/ });
      const lines = await eventually(() => {
        const warnings = console.lines.filter(({ level, logger }) => level === 'WARNING' && logger === 'app.db.outbox');
        return warnings.length === 3 && warnings;
      });
      expect(lines.map(({ message, extra }) => [message, extra?.['undelivered'], extra?.['max']])).to.deep.equal([
        ['The outbox is filling up', 4, 5],
        ['The outbox is filling up', 5, 5],
        ['The outbox is full: refusals of anonymous callers are dropped', 5, 5],
      ]);
    } finally {
      await stopLogger();
    }
  });

  it('is no older than nothing when nothing waits', async () => {
    outbox.startWorker(new FakeReceiver(), { only: /^measure/ });
    await eventually(() => gauges().join() === '0,0,0');
  });

  describe('of what is added up', () => {
    it('is added once, however often a batch is handed in, and its writer is forgotten after thirty days', async () => {
      const { outbox: one } = outbox.startWorker(new FakeReceiver(), { only: /^remove/ });
      const [first, old] = [batch(aggregate('a', 2)), batch(aggregate('b', 1))];
      for (const each of [first, first, { ...first, number: 2 }, first, old]) await one.addUp(each);
      expect((await rows()).map(({ message, quantity }) => [message.text, quantity])).to.deep.equal([
        ['a', 4],
        ['b', 1],
      ]);
      const age = (writer: string, days: number) =>
        outbox.database.query(
          { text: 'update outbox_writers set written_at = now() - make_interval(days => $2) where id = $1' },
          [writer, days],
        );
      await age(first.writer, 29);
      await age(old.writer, 31);
      outbox.startWorker(new FakeReceiver(), { only: /^remove/ });
      await eventually(async () => {
        const left = await outbox.database.query<{ id: string }>({ text: 'select id from outbox_writers' });
        return left.map(({ id }) => id).join() === first.writer;
      });
    });

    it('is one message for each key until it is delivered', async () => {
      const { outbox: one } = outbox.startWorker(new FakeReceiver(), { only: /^none/ });
      const { outbox: other } = outbox.startWorker(new FakeReceiver(), { only: /^none/ });
      await Promise.all([
        one.addUp(batch(aggregate('a', 2), aggregate('b', 1))),
        other.addUp(batch(aggregate('a', 3), aggregate('c', 4))),
      ]);
      const found = await rows();
      expect(Object.fromEntries(found.map(({ message, quantity }) => [message.text, quantity]))).to.deep.equal({
        a: 5,
        b: 1,
        c: 4,
      });
    });

    it('is delivered when it is due, and what comes later is another message', async () => {
      const receiver = new FakeReceiver();
      const { outbox: one } = outbox.startWorker(receiver);
      await one.addUp(batch(aggregate('early', 2), aggregate('late', 1, new Date(Date.now() + 3_600_000))));
      await append(outbox.database, randomUUID(), 'wakes the worker');
      await eventually(() => receiver.received.length === 2);
      expect(receiver.received.find(({ message }) => message['text'] === 'early')).to.deep.include({
        quantity: 2,
        at: new Date(1_000),
      });
      await one.addUp(batch(aggregate('early', 7)));
      const found = await rows();
      expect(found.map(({ message, quantity }) => [message.text, quantity])).to.deep.equal([
        ['late', 1],
        ['early', 7],
      ]);
    });

    it('is dropped and counted while the outbox is full, and what users did is not', async () => {
      for (let n = 0; n < 3; n++) await append(outbox.database, randomUUID(), `${n}`);
      const { outbox: full } = outbox.startWorker(new FakeReceiver(), { max: 3, only: /^measure/ });
      await eventually(() => read(outboxUsage) === 1);
      const before = read(outboxDropped) ?? 0;
      await full.addUp(batch(aggregate('a', 2), aggregate('b', 3)));
      expect(read(outboxDropped)).to.equal(before + 5);
      await append(outbox.database, randomUUID(), 'of a user');
      expect((await rows()).map(({ message }) => message.text)).to.deep.equal(['0', '1', '2', 'of a user']);
    });
  });
});
