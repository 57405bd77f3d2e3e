import { getLogger, type PeriodicTask, ServiceUnavailableError } from '../../core/index.ts';
import type { Outbox } from '../../db/outbox/outbox.ts';
import type { Queryable } from '../../db/postgres/database.ts';
import type { ActivityType } from './schemas.ts';
import { createTallies } from './tallies.ts';

/** Refusals of callers who are not signed in, on their way to the outbox. */
export type Refusals = {
  /**
   * `event` is that of the user whose account was wanted, with an id, since it may be written more than once; without
   * one it only counts for the address.
   */
  note(type: ActivityType, address: string, event?: string): void;
  /** Writes what was noted. */
  task: PeriodicTask;
  /** Writes what was noted since; resolves also when that failed. */
  drain(): Promise<void>;
};

const WRITE_EVERY_MS = 1_000;
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
  outbox: Pick<Outbox, 'addUp' | 'writeOrDrop'>,
  clock: () => number = Date.now,
): Refusals {
  const logger = getLogger('app.activity.refusals');
  const events: string[] = [];
  const tallies = createTallies(outbox, clock);

  async function write(): Promise<void> {
    // One by one: of several in one transaction, two instances could wait for each other.
    for (let event = events[0]; event !== undefined; event = events[0]) {
      const values = [event];
      await outbox.writeOrDrop(1, () => database.query(RECORD, values));
      events.shift();
    }
    await tallies.write();
  }

  return {
    note(type, address, event) {
      if (event === undefined || events.length >= MAX_EVENTS) return tallies.count(type, address);
      events.push(event);
    },
    task: {
      name: 'write_refusals',
      intervalMs: WRITE_EVERY_MS,
      async run() {
        const noted = events.length;
        await write().catch((error: unknown) => {
          // What was noted stays until PostgreSQL is back, which others watch.
          if (!(error instanceof ServiceUnavailableError)) throw error;
        });
        return noted > 0 ? noted : undefined;
      },
    },
    async drain() {
      await write().catch((error: unknown) => logger.exception('Refusals were not written', error));
    },
  };
}
