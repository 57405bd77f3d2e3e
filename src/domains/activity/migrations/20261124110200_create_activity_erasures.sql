-- Users whose activity is to be made anonymous: noted in the transaction that deletes them, done once Mongo is there.
create table activity_erasures (
  user_id uuid primary key,
  requested_at timestamptz not null default now()
);
