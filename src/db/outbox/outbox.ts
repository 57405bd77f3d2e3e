import type { PeriodicTask } from '../../core/background/tasks.ts';
import { getLogger } from '../../core/logging/index.ts';
import {
  outboxDropped,
  outboxOldestAge,
  outboxUndelivered,
  outboxUsage,
} from '../../core/telemetry/metrics/service-metrics.ts';
import type { Database } from '../postgres/database.ts';
import type { StopListening } from '../postgres/listener.ts';
import { isRefusedData } from '../postgres/refused-data.ts';
import { createDeliveryTask, type Receiver } from './delivery.ts';
import { addUp, type Batch, measureOutbox, removeDelivered, removeWriters } from './statements.ts';

export type { Receiver } from './delivery.ts';
export type { AggregatedMessage, Batch, OutboxMessage } from './statements.ts';

export type Outbox = {
  /** Deliver, measure, and remove what was delivered. */
  tasks: readonly PeriodicTask[];
  /**
   * Adds up messages that may be lost: while the outbox is full they are dropped, and counted. A batch can be handed in
   * again by whoever does not know whether it was written.
   */
  addUp(batch: Batch): Promise<void>;
  /**
   * Lets `write` write as many messages as `quantity` says, for whoever would try again for ever: when PostgreSQL
   * refuses what stands in them, that is logged and counted, and they are dropped. Rejects for any other reason.
   */
  writeOrDrop(quantity: number, write: () => Promise<unknown>): Promise<void>;
  /** Ends the listening for what is written. */
  close(): Promise<void>;
};

export type OutboxOptions = {
  database: Pick<Database, 'query' | 'transaction' | 'listen'>;
  receiver: Receiver;
  /** `OUTBOX_MAX`: undelivered messages from which on those that may be lost are dropped. */
  max: number;
};

const CHANNEL = 'outbox';
const MEASURE_EVERY_MS = 5_000;
const REMOVE_EVERY_MS = 600_000;
const WARN_FROM = 0.8;

/**
 * The way from a transaction to another store. What `outbox_append()` wrote is delivered as soon as its transaction has
 * committed, at least once; to the receiver, which knows what it has, exactly once.
 */
export function createOutbox({ database, receiver, max }: OutboxOptions): Outbox {
  const logger = getLogger('app.db.outbox');
  const delivery = createDeliveryTask(database, receiver);
  let stopListening: StopListening | undefined;
  let usage = 0;

  async function measure(): Promise<void> {
    const { undelivered, oldestAgeSeconds } = await measureOutbox(database);
    const before = usage;
    usage = undelivered / max;
    outboxUndelivered.set(undelivered);
    outboxOldestAge.set(oldestAgeSeconds);
    outboxUsage.set(usage);
    const figures = { undelivered, max, oldest_age_seconds: Math.round(oldestAgeSeconds) };
    if (before < WARN_FROM && usage >= WARN_FROM) logger.warning('The outbox is filling up', figures);
    if (before < 1 && usage >= 1)
      logger.warning('The outbox is full: refusals of anonymous callers are dropped', figures);
  }

  return {
    tasks: [
      {
        ...delivery,
        run(signal) {
          stopListening ??= database.listen(CHANNEL, () => delivery.wakeUp.ring());
          return delivery.run(signal);
        },
      },
      { name: 'measure_outbox', intervalMs: MEASURE_EVERY_MS, run: measure },
      {
        name: 'remove_delivered_from_outbox',
        intervalMs: REMOVE_EVERY_MS,
        async run(signal) {
          let isMore = true;
          while (isMore && !signal.aborted) isMore = await removeDelivered(database);
          await removeWriters(database);
        },
      },
    ],
    async addUp(batch) {
      if (usage < 1) return addUp(database, batch);
      outboxDropped.inc(batch.messages.reduce((sum, { quantity }) => sum + quantity, 0));
    },
    async writeOrDrop(quantity, write) {
      try {
        await write();
      } catch (error) {
        if (!isRefusedData(error)) throw error;
        outboxDropped.inc(quantity);
        logger.exception('PostgreSQL refuses what was to be written to the outbox: it is dropped', error, { quantity });
      }
    },
    async close() {
      await stopListening?.();
    },
  };
}
