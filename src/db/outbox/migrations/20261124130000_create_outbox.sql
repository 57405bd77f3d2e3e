-- What is on its way to another store, written in the transaction that it tells of.
create table outbox (
  id bigint generated always as identity primary key,
  -- By which the receiver knows a message that it has already.
  message_id uuid not null default gen_random_uuid(),
  -- Whose messages are delivered one after the other, in the order of their ids.
  stream uuid not null,
  -- To the millisecond; in one stream no two are the same, and they follow the ids.
  at timestamptz not null,
  due_at timestamptz not null default '-infinity',
  -- Messages with the same key are added up until they are delivered.
  aggregate_key text,
  quantity integer not null default 1,
  message jsonb not null,
  traceparent text,
  delivered_at timestamptz
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

create index outbox_undelivered on outbox (id, due_at) where delivered_at is null;
create index outbox_streams on outbox (stream, id);
create index outbox_delivered on outbox (delivered_at) where delivered_at is not null;
create unique index outbox_aggregates on outbox (aggregate_key) where delivered_at is null;

-- Whoever holds it until the commit is the only one who writes to the stream, so its ids follow the order of commits:
-- a sequence alone gives them in the order in which they were asked for. To be taken after all other locks.
create function outbox_lock(of_stream uuid) returns void language sql
  as $$ select pg_advisory_xact_lock(1869968482, hashtext(of_stream::text)) $$;

-- Each statement of a volatile function sees what was committed before it, so also what was waited for at the lock.
create function outbox_append(to_stream uuid, new_message jsonb, of_trace text) returns void language plpgsql as $$
begin
  perform outbox_lock(to_stream);
  insert into outbox (stream, at, message, traceparent) values (
    to_stream,
    greatest(
      date_trunc('milliseconds', clock_timestamp()),
      (select at from outbox where stream = to_stream order by id desc limit 1) + interval '1 millisecond'
    ),
    new_message,
    of_trace
  );
  perform pg_notify('outbox', '');
end $$;
