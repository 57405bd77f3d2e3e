-- An event without whatever leads to a person. The ids of request and trace lead to log lines that name the user.
create function anonymous_activity(event jsonb) returns jsonb immutable language sql as $$
  select event || '{"user_id": null, "ip_address": null, "device": {}, "request_id": null, "trace_id": null, "traceparent": null}'::jsonb
$$;

-- Records an event of a user in the transaction under way; to be called last in it. The stream of a user is their id.
create function record_activity(event jsonb) returns void language plpgsql as $$
declare
  of_user uuid := event ->> 'user_id';
begin
  perform outbox_lock(of_user);
  -- Whoever was deleted has no activity any more, not even what comes late.
  if not exists (select from users where id = of_user) then
    event := anonymous_activity(event);
  end if;
  perform outbox_append(of_user, jsonb_build_object('event', event - 'traceparent'), event ->> 'traceparent');
end $$;

-- Makes all activity of a user anonymous: what is on its way at once, what was delivered when this is. One that is being
-- delivered right now is waited for.
create function erase_activity(of_user uuid) returns void language plpgsql as $$
begin
  perform outbox_lock(of_user);
  update outbox
    set message = jsonb_build_object('event', anonymous_activity(message -> 'event') - 'traceparent'), traceparent = null
    where stream = of_user and delivered_at is null and message ? 'event';
  delete from outbox where stream = of_user and delivered_at is not null;
  perform outbox_append(of_user, jsonb_build_object('erase', of_user), null);
end $$;

-- The table stays for a version of the service that still writes it.
with asked_for as (delete from activity_erasures returning user_id) select erase_activity(user_id) from asked_for;
