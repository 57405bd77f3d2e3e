-- Who has to write a message again, not knowing whether the first time was committed, gives it its id.
create unique index outbox_messages on outbox (message_id);

-- Replaced and not overloaded: with two of them, a call with three arguments would fit both.
drop function outbox_append(uuid, jsonb, text);

-- As before; one with the id of a message that is there already changes nothing.
create function outbox_append(to_stream uuid, new_message jsonb, of_trace text, with_id uuid default gen_random_uuid())
returns void language plpgsql as $$
begin
  perform outbox_lock(to_stream);
  insert into outbox (message_id, stream, at, message, traceparent) values (
    with_id,
    to_stream,
    greatest(
      date_trunc('milliseconds', clock_timestamp()),
      (select at from outbox where stream = to_stream order by id desc limit 1) + interval '1 millisecond'
    ),
    new_message,
    of_trace
  ) on conflict (message_id) do nothing;
  perform pg_notify('outbox', '');
end $$;

-- Who adds messages up, in numbered batches: the last one of each that is committed, so that it is not added twice.
create table outbox_writers (
  id uuid primary key,
  last_batch integer not null,
  written_at timestamptz not null default now()
);
