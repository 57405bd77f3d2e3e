-- As before; an event with an id is recorded once, however often it is written.
create or replace function record_activity(event jsonb) returns void language plpgsql as $$
declare
  of_user uuid := event ->> 'user_id';
begin
  perform outbox_lock(of_user);
  -- Whoever was deleted has no activity any more, not even what comes late.
  if not exists (select from users where id = of_user) then
    event := anonymous_activity(event);
  end if;
  perform outbox_append(
    of_user,
    jsonb_build_object('event', event - array['id', 'traceparent']),
    event ->> 'traceparent',
    coalesce((event ->> 'id')::uuid, gen_random_uuid())
  );
end $$;
