import type { Queryable } from '../postgres/database.ts';

/** A message on its way. `messageId` is by which the receiver knows one that it has already. */
export type OutboxMessage = {
  /** By which messages are ordered. */
  id: string;
  messageId: string;
  stream: string;
  at: Date;
  /** How many were added up to this one. */
  quantity: number;
  message: Record<string, unknown>;
  /** W3C Trace Context of where it was written. */
  traceparent: string | null;
};

/** One to be added to others with its key, and delivered when it is due. */
export type AggregatedMessage = { key: string; at: Date; dueAt: Date; quantity: number; message: object };

/** What one writer adds up at a time. The numbers of a writer, whose id is a UUID, rise; no key may be there twice. */
export type Batch = { writer: string; number: number; messages: readonly AggregatedMessage[] };

export type OutboxFigures = { undelivered: number; oldestAgeSeconds: number };

/** So many streams are claimed, and so many messages of them delivered, at a time. A span has 128 links at most. */
export const MAX_STREAMS = 50;
export const MAX_MESSAGES = 100;
const MAX_REMOVED = 1000;
/** The stream of what needs no order. */
const NO_STREAM = '00000000-0000-0000-0000-000000000000';

// Another number than that of outbox_lock(): who writes to a stream does not wait for its delivery.
const CLAIM_STREAMS = {
  name: 'claim_outbox_streams',
  text: `with due as materialized (
      select id, stream from outbox where delivered_at is null and due_at <= statement_timestamp() order by id limit 1000),
    streams as materialized (select stream from due group by stream order by min(id) limit ${MAX_STREAMS})
    select stream from streams where pg_try_advisory_xact_lock(1869968483, hashtext(stream::text))`,
};
// Locked, because one that is added to or made anonymous meanwhile would be marked as delivered as it was before. A
// statement after that of the claim, since what was delivered until the claim was there must be seen as delivered.
const READ_MESSAGES = {
  name: 'read_outbox_messages',
  text: `select id, message_id as "messageId", stream, at, quantity, message, traceparent from outbox
    where delivered_at is null and due_at <= statement_timestamp() and stream = any ($1::uuid[])
    order by id limit ${MAX_MESSAGES} for update`,
};
const MARK_DELIVERED = {
  name: 'mark_outbox_delivered',
  text: 'update outbox set delivered_at = clock_timestamp() where id = any ($1::bigint[])',
};
// In the order of their keys, or of two that add to the same ones each could wait for the other.
const ADD_UP = {
  name: 'add_up_outbox_messages',
  text: `with fresh as (
      insert into outbox_writers as known (id, last_batch) values ($6, $7)
      on conflict (id) do update set last_batch = excluded.last_batch, written_at = now()
        where known.last_batch < excluded.last_batch
      returning id)
    insert into outbox (stream, aggregate_key, at, due_at, quantity, message)
    select '${NO_STREAM}', each.* from fresh,
      unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::int[], $5::jsonb[])
      as each (key, at, due_at, quantity, message)
    order by each.key
    on conflict (aggregate_key) where delivered_at is null
    do update set quantity = outbox.quantity + excluded.quantity`,
};
const MEASURE = {
  name: 'measure_outbox',
  text: `select (select count(*)::float8 from outbox where delivered_at is null) as undelivered,
    coalesce(greatest(0, extract(epoch from clock_timestamp() - (
      select greatest(at, due_at) from outbox
      where delivered_at is null and due_at <= statement_timestamp() order by id limit 1)))::float8, 0) as "oldestAgeSeconds"`,
};
const REMOVE_DELIVERED = {
  name: 'remove_delivered_from_outbox',
  text: `delete from outbox where id in (
    select id from outbox where delivered_at < now() - interval '1 hour' limit ${MAX_REMOVED} for update skip locked)
    returning id`,
};
// Longer than anybody waits for a PostgreSQL that is away.
const REMOVE_WRITERS = {
  name: 'remove_outbox_writers',
  text: `delete from outbox_writers where written_at < now() - interval '30 days'`,
};

/** Keeps other workers away from streams that have something to deliver, until the transaction ends. */
export async function claimStreams(tx: Queryable): Promise<string[]> {
  return (await tx.query<{ stream: string }>(CLAIM_STREAMS)).map(({ stream }) => stream);
}

/** The next messages of claimed streams, in their order. */
export function readMessages(tx: Queryable, streams: readonly string[]): Promise<OutboxMessage[]> {
  return tx.query<OutboxMessage>(READ_MESSAGES, [streams]);
}

export async function markDelivered(tx: Queryable, messages: readonly OutboxMessage[]): Promise<void> {
  await tx.query(MARK_DELIVERED, [messages.map(({ id }) => id)]);
}

/** Adds messages to those with the same key that are not delivered yet. A batch that was added already changes nothing. */
export async function addUp(db: Queryable, { writer, number, messages }: Batch): Promise<void> {
  await db.query(ADD_UP, [
    messages.map(({ key }) => key),
    messages.map(({ at }) => at),
    messages.map(({ dueAt }) => dueAt),
    messages.map(({ quantity }) => quantity),
    messages.map(({ message }) => JSON.stringify(message)),
    writer,
    number,
  ]);
}

export async function measureOutbox(db: Queryable): Promise<OutboxFigures> {
  const [figures] = await db.query<OutboxFigures>(MEASURE);
  return figures ?? { undelivered: 0, oldestAgeSeconds: 0 };
}

/** Removes messages that were delivered an hour ago, a thousand at most. Resolves to whether there may be more. */
export async function removeDelivered(db: Queryable): Promise<boolean> {
  return (await db.query(REMOVE_DELIVERED)).length === MAX_REMOVED;
}

/** Forgets writers that have added nothing for thirty days. */
export async function removeWriters(db: Queryable): Promise<void> {
  await db.query(REMOVE_WRITERS);
}
