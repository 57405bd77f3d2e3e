-- What was mailed to show that somebody reads the mail of an account: of each kind the newest alone, as a hash. A row
-- that is over stays until the next one takes its place, so there are never more than two of a user.
create table account_tokens (
  user_id uuid not null references users (id) on delete cascade,
  purpose text not null,
  token_hash text not null unique,
  email text not null,
  expires_at timestamptz not null,
  primary key (user_id, purpose)
);

-- Mails that are still to be sent, whether there is an account or not. Their tokens are made when they are sent.
create table account_mails (
  email text not null,
  purpose text not null,
  attempts integer not null default 0,
  due_at timestamptz not null default now(),
  primary key (email, purpose)
);

create index account_mails_by_due on account_mails (due_at);
