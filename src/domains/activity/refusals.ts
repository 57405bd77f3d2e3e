import { getLogger, networkOf, type PeriodicTask, ServiceUnavailableError } from '../../core/index.ts';
import type { AggregatedMessage, Outbox } from '../../db/outbox/outbox.ts';
import type { Queryable } from '../../db/postgres/database.ts';
import type { ActivityType } from './schemas.ts';

/** Refusals of callers who are not signed in, on their way to the outbox. */
export type Refusals = {
  /** `event` is that of the user whose account was wanted; without one it only counts for the address. */
  note(type: ActivityType, address: string, event?: string): void;
  /** Writes what was noted. */
  task: PeriodicTask;
  /** Writes what was noted since; resolves also when that failed. */
  drain(): Promise<void>;
};

type Tally = { type: ActivityType; network: string | null; at: number; minute: number; unwritten: number };

const WRITE_EVERY_MS = 1_000;
const MINUTE_MS = 60_000;
/** A minute is delivered so much later, when all instances have written what they noted in it. */
const GRACE_MS = 5_000;
/** So many addresses of a minute are told apart; all others are one. */
const MAX_NETWORKS = 10_000;
/** So many events of users wait to be written; what comes beyond counts for its address alone. */
const MAX_EVENTS = 1_000;
const RECORD = { name: 'record_activity', text: 'select record_activity($1)' };

/**
 * Keeps refusals from costing their caller a statement: an unknown address would be told from a known one by that, even
 * by one that begins while the answer is made, and whoever is refused could fill the outbox. So they wait for the next
 * beat. Those of a user are written one by one; those of nobody are added up by address (IPv6: by /64) and minute.
 * `clock` is in milliseconds since the epoch.
 */
export function createRefusals(
  database: Queryable,
  outbox: Pick<Outbox, 'addUp'>,
  clock: () => number = Date.now,
): Refusals {
  const logger = getLogger('app.activity.refusals');
  const events: string[] = [];
  const tallies = new Map<string, Tally>();

  function count(type: ActivityType, address: string): void {
    const at = clock();
    const minute = Math.floor(at / MINUTE_MS);
    const network = networkOf(address);
    const known = tallies.get(keyOf(type, network, minute));
    const isTold = known !== undefined || tallies.size < MAX_NETWORKS;
    const tally = known ?? tallyOf(type, isTold ? network : null, minute, at);
    tally.unwritten++;
  }

  function tallyOf(type: ActivityType, network: string | null, minute: number, at: number): Tally {
    const key = keyOf(type, network, minute);
    const tally = tallies.get(key) ?? { type, network, minute, at, unwritten: 0 };
    tallies.set(key, tally);
    return tally;
  }

  async function writeTallies(): Promise<void> {
    const minute = Math.floor(clock() / MINUTE_MS);
    const counted = [...tallies].filter(([, { unwritten }]) => unwritten > 0);
    const written = counted.map(([key, tally]) => ({ tally, message: toMessage(key, tally) }));
    if (written.length > 0) await outbox.addUp(written.map(({ message }) => message));
    for (const { tally, message } of written) tally.unwritten -= message.quantity;
    for (const [key, tally] of tallies) if (tally.minute < minute && tally.unwritten === 0) tallies.delete(key);
  }

  async function write(): Promise<void> {
    // One by one: of several in one transaction, two instances could wait for each other.
    for (let event = events[0]; event !== undefined; event = events[0]) {
      await database.query(RECORD, [event]);
      events.shift();
    }
    await writeTallies();
  }

  return {
    note(type, address, event) {
      if (event === undefined || events.length >= MAX_EVENTS) return count(type, address);
      events.push(event);
    },
    task: {
      name: 'write_refusals',
      intervalMs: WRITE_EVERY_MS,
      async run() {
        await write().catch((error: unknown) => {
          // What was noted stays until PostgreSQL is back, which others watch.
          if (!(error instanceof ServiceUnavailableError)) throw error;
        });
      },
    },
    async drain() {
      await write().catch((error: unknown) => logger.exception('Refusals were not written', error));
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
