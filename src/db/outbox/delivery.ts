import { type Link, type SpanContext, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import type { PeriodicTask } from '../../core/background/tasks.ts';
import { WakeUp } from '../../core/background/wake-up.ts';
import { getLogger } from '../../core/logging/index.ts';
import { outboxDelivered } from '../../core/telemetry/metrics/service-metrics.ts';
import type { Database } from '../postgres/database.ts';
import { isUnavailable } from '../postgres/unavailable.ts';
import {
  claimStreams,
  MAX_MESSAGES,
  MAX_STREAMS,
  markDelivered,
  type OutboxMessage,
  readMessages,
} from './statements.ts';

/** Where messages go. */
export type Receiver = {
  /** Takes messages in this order, and knows by their `messageId` those that it has already. */
  deliver(messages: readonly OutboxMessage[]): Promise<void>;
  /** Rejects while it cannot be reached. */
  ping(): Promise<void>;
  /** Whether an error says that it cannot be reached, so that the same can be tried again later. */
  isUnavailable(error: unknown): boolean;
};

/** What the receiver rejected with, as opposed to PostgreSQL. */
class NotReceived extends Error {
  constructor(cause: unknown) {
    super('The messages were not received', { cause });
  }
}

/** For what nobody was told of: a notification that was lost, a message that another worker left. */
const POLL_MS = 5_000;
const AGAIN_AFTER_MS = 1_000;
const tracer = trace.getTracer('okapi.outbox');

/**
 * The task that delivers what is in the outbox, woken by `wakeUp`. As many of them may run as there are processes: each
 * works on streams that no other has claimed. While a store is away it tries again every second.
 */
export function createDeliveryTask(
  database: Pick<Database, 'transaction'>,
  receiver: Receiver,
  wakeUp = new WakeUp(),
): PeriodicTask & { wakeUp: WakeUp } {
  const logger = getLogger('app.db.outbox');
  let heldUpSince: number | undefined;
  let again: NodeJS.Timeout | undefined;

  function holdUp(error: unknown): void {
    if (heldUpSince === undefined) logger.warning('The outbox waits: a store cannot be reached', { error });
    heldUpSince ??= performance.now();
    clearTimeout(again);
    again = setTimeout(() => wakeUp.ring(), AGAIN_AFTER_MS).unref();
  }

  async function deliverAll(signal: AbortSignal): Promise<void> {
    // Asked before a transaction is begun, which would be idle until the receiver has not answered.
    if (heldUpSince !== undefined) await receiver.ping().catch(notReceived);
    let isMore = true;
    while (isMore && !signal.aborted) isMore = await deliverSome(database, receiver);
    if (heldUpSince === undefined) return;
    logger.info('The outbox is delivered again', { waited_ms: Math.round(performance.now() - heldUpSince) });
    heldUpSince = undefined;
  }

  return {
    name: 'deliver_outbox',
    intervalMs: POLL_MS,
    wakeUp,
    async run(signal) {
      try {
        await deliverAll(signal);
      } catch (error) {
        const cause = error instanceof NotReceived ? error.cause : error;
        const isAway = error instanceof NotReceived ? receiver.isUnavailable(cause) : isAwayPostgres(cause);
        if (!isAway) throw cause;
        holdUp(cause);
      }
    },
  };
}

/** Delivers what one transaction takes. Resolves to whether there may be more. */
async function deliverSome(database: Pick<Database, 'transaction'>, receiver: Receiver): Promise<boolean> {
  const { streams, messages } = await database.transaction(async (tx) => {
    const claimed = await claimStreams(tx);
    const found = claimed.length === 0 ? [] : await readMessages(tx, claimed);
    if (found.length > 0) {
      await inSpan(found, async () => {
        await receiver.deliver(found).catch(notReceived);
        await markDelivered(tx, found);
      });
    }
    return { streams: claimed.length, messages: found.length };
  });
  outboxDelivered.inc(messages);
  return messages === MAX_MESSAGES || streams === MAX_STREAMS;
}

/** Below the run that delivers them, linked to where the messages come from: there may be many, and they are over. */
async function inSpan(messages: readonly OutboxMessage[], work: () => Promise<void>): Promise<void> {
  const options = {
    kind: SpanKind.CONSUMER,
    links: linksTo(messages),
    attributes: { 'messaging.batch.message_count': messages.length },
  };
  await tracer.startActiveSpan('deliver outbox', options, async (span) => {
    try {
      await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

function linksTo(messages: readonly OutboxMessage[]): Link[] {
  const parents = new Set(messages.map(({ traceparent }) => traceparent).filter((parent) => parent !== null));
  return [...parents]
    .map(parseTraceParent)
    .filter((context): context is SpanContext => context !== null)
    .map((context) => ({ context: { ...context, isRemote: true } }));
}

function notReceived(cause: unknown): never {
  throw new NotReceived(cause);
}

/** As the pool reports it, or as the driver does. */
function isAwayPostgres(error: unknown): boolean {
  return isUnavailable(error) || (error instanceof Error && isUnavailable(error.cause));
}
