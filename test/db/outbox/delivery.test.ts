import { randomInt, randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { eventually } from '../../support/eventually.ts';
import { Away, append, createTestOutbox, FakeReceiver } from './harness.ts';

const LISTENERS = {
  text: `select pid from pg_stat_activity where application_name = 'okapi-test-listen' and datname = current_database()`,
};

describe('the outbox', () => {
  let outbox: Awaited<ReturnType<typeof createTestOutbox>>;
  let receiver: FakeReceiver;
  let stream: string;
  before(async () => {
    outbox = await createTestOutbox();
  });
  beforeEach(() => {
    receiver = new FakeReceiver();
    stream = randomUUID();
  });
  afterEach(() => outbox.stopWorkers());
  after(() => outbox.close());

  const write = (...texts: string[]) =>
    outbox.database.transaction(async (tx) => {
      for (const text of texts) await append(tx, stream, text);
    });
  const isListening = () => eventually(async () => (await outbox.database.query(LISTENERS)).length > 0);
  const arrive = (count: number) => eventually(() => receiver.textsOf(stream).length === count);

  // Time stands still for these workers: it is no poll that brings what they deliver.
  it('delivers what was committed when it is told, whoever wrote it', async () => {
    outbox.startWorker(receiver);
    await isListening();
    await write('a', 'b');
    await arrive(2);
    await write('c');
    await arrive(3);
    expect(receiver.textsOf(stream)).to.deep.equal(['a', 'b', 'c']);
  });

  it('delivers nothing of a transaction that was rolled back', async () => {
    outbox.startWorker(receiver);
    const undone = outbox.database.transaction(async (tx) => {
      await append(tx, stream, 'undone');
      throw new Error('not this time');
    });
    expect(await undone.catch(String)).to.equal('Error: not this time');
    await write('done');
    await arrive(1);
    expect(receiver.textsOf(stream)).to.deep.equal(['done']);
  });

  it('delivers what was written while no worker was there', async () => {
    await write('a', 'b');
    outbox.startWorker(receiver);
    await arrive(2);
  });

  it('hears again after its connection was lost, and delivers what was written meanwhile', async () => {
    outbox.startWorker(receiver);
    await isListening();
    const [listener] = await outbox.database.query<{ pid: number }>(LISTENERS);
    await outbox.database.query({ text: 'select pg_terminate_backend($1)' }, [listener?.pid]);
    await eventually(async () => {
      const rows = await outbox.database.query<{ pid: number }>(LISTENERS);
      return rows.every(({ pid }) => pid !== listener?.pid);
    });
    await write('a');
    await arrive(1);
  });

  it('gives each message of a stream a time of its own, to the millisecond', async () => {
    const texts = Array.from({ length: 30 }, (_, n) => `${n}`);
    await write(...texts);
    outbox.startWorker(receiver);
    await arrive(30);
    const times = receiver.received.map(({ at }) => at.getTime());
    expect(new Set(times).size).to.equal(30);
    expect(times).to.deep.equal([...times].sort((a, b) => a - b));
  });

  it('holds no writer up while it is being delivered', async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    receiver.beforeTaking = () => held;
    outbox.startWorker(receiver);
    await write('a');
    await eventually(async () => {
      const [row] = await outbox.database.query<{ n: number }>({
        text: `select count(*)::int as n from pg_stat_activity
          where state = 'idle in transaction' and datname = current_database()`,
      });
      return row?.n === 1;
    });
    await write('b');
    letGo();
    await arrive(2);
  });

  describe('with two workers', () => {
    it('delivers each message once, and those of a stream in the order of their commits', async () => {
      const streams: string[] = Array.from({ length: 5 }, () => randomUUID());
      const committed = new Map(streams.map((each) => [each, [] as string[]]));
      receiver.beforeTaking = async () => {
        for (let pause = randomInt(20); pause > 0; pause--) await turn();
        if (randomInt(5) === 0) throw new Away('away for a moment');
      };
      outbox.startWorker(receiver);
      outbox.startWorker(receiver);
      // Each transaction holds its place in the stream for a while, so that many ask for theirs meanwhile.
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let n = 0; n < 12; n++) {
          const to = streams[randomInt(streams.length)] as string;
          const text = `${writer}:${n}`;
          await outbox.database.transaction(async (tx) => {
            await append(tx, to, text);
            // Under the lock of the stream, which the commit ends: so this is the order of the commits.
            committed.get(to)?.push(text);
            await tx.query({ text: 'select pg_sleep($1)' }, [randomInt(8) / 1000]);
          });
        }
      });
      await Promise.all(writers);
      await eventually(() => receiver.received.length >= 96);
      expect(receiver.received).to.have.length(96);
      expect(receiver.overlaps).to.deep.equal([]);
      for (const each of streams) expect(receiver.textsOf(each)).to.deep.equal(committed.get(each));
    });
  });

  describe('whose receiver is away', () => {
    it('keeps everything, asks before it begins anew, and delivers each message once', async () => {
      outbox.startWorker(receiver);
      receiver.isAway = true;
      await write('a', 'b');
      await eventually(() => receiver.pings >= 1);
      await write('c');
      expect(receiver.textsOf(stream)).to.deep.equal([]);
      receiver.isAway = false;
      await arrive(3);
      expect(receiver.textsOf(stream)).to.deep.equal(['a', 'b', 'c']);
    });

    it('delivers again what the receiver took and did not confirm', async () => {
      let isFirst = true;
      const { deliver } = receiver;
      receiver.deliver = async (messages) => {
        await deliver.call(receiver, messages);
        if (isFirst) {
          isFirst = false;
          throw new Away('the answer was lost');
        }
      };
      outbox.startWorker(receiver);
      await write('a', 'b');
      await eventually(() => receiver.repeated === 2);
      await write('c');
      await arrive(3);
      expect(receiver.textsOf(stream)).to.deep.equal(['a', 'b', 'c']);
    });
  });
});
