import { randomUUID } from 'node:crypto';
import { networkOf } from '../../core/index.ts';
import type { AggregatedMessage, Batch, Outbox } from '../../db/outbox/outbox.ts';
import type { ActivityType } from './schemas.ts';

/** Refusals of nobody, added up by kind, address (IPv6: by /64) and minute. */
export type Tallies = {
  count(type: ActivityType, address: string): void;
  /** Writes what was counted since. What could not be written is written as it was by the next call, and then the rest. */
  write(): Promise<void>;
};

type Tally = { type: ActivityType; network: string | null; at: number; minute: number; unwritten: number };

const MINUTE_MS = 60_000;
/** A minute is delivered so much later, when all instances have written what they noted in it. */
const GRACE_MS = 5_000;
/** So many addresses of a minute are told apart; all others are one. */
const MAX_NETWORKS = 10_000;

/** `clock` is in milliseconds since the epoch. */
export function createTallies(outbox: Pick<Outbox, 'addUp' | 'writeOrDrop'>, clock: () => number): Tallies {
  const writer = randomUUID();
  const tallies = new Map<string, Tally>();
  let batches = 0;
  /** Kept as it is until it is written: whether it was, one whose answer did not arrive does not say. */
  let underWay: Batch | undefined;

  function tallyOf(type: ActivityType, network: string | null, minute: number, at: number): Tally {
    const key = keyOf(type, network, minute);
    const tally = tallies.get(key) ?? { type, network, minute, at, unwritten: 0 };
    tallies.set(key, tally);
    return tally;
  }

  /** What is not written, `undefined` when there is nothing. From then on it counts as written. */
  function takeBatch(): Batch | undefined {
    const counted = [...tallies].filter(([, { unwritten }]) => unwritten > 0);
    const messages = counted.map(([key, tally]) => toMessage(key, tally));
    const minute = Math.floor(clock() / MINUTE_MS);
    for (const [, tally] of counted) tally.unwritten = 0;
    for (const [key, tally] of tallies) if (tally.minute < minute) tallies.delete(key);
    return messages.length === 0 ? undefined : { writer, number: ++batches, messages };
  }

  async function writeBatch(batch: Batch): Promise<void> {
    const quantity = batch.messages.reduce((sum, each) => sum + each.quantity, 0);
    await outbox.writeOrDrop(quantity, () => outbox.addUp(batch));
    underWay = undefined;
  }

  return {
    count(type, address) {
      const at = clock();
      const minute = Math.floor(at / MINUTE_MS);
      const network = networkOf(address);
      const known = tallies.get(keyOf(type, network, minute));
      const isTold = known !== undefined || tallies.size < MAX_NETWORKS;
      const tally = known ?? tallyOf(type, isTold ? network : null, minute, at);
      tally.unwritten++;
    },
    async write() {
      if (underWay !== undefined) await writeBatch(underWay);
      underWay = takeBatch();
      if (underWay !== undefined) await writeBatch(underWay);
    },
  };
}

function keyOf(type: ActivityType, network: string | null, minute: number): string {
  return `${type} ${network ?? '*'} ${minute}`;
}

function toMessage(key: string, { type, network, at, minute, unwritten }: Tally): AggregatedMessage {
  return {
    key,
    at: new Date(at),
    dueAt: new Date((minute + 1) * MINUTE_MS + GRACE_MS),
    quantity: unwritten,
    message: { refusals: { type, ip_address: network } },
  };
}
