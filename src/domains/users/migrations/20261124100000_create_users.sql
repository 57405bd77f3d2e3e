create table users (
  id uuid primary key,
  email text not null unique check (char_length(email) between 3 and 254),
  password_hash text not null,
  roles text[] not null default '{user}',
  created_at timestamptz not null default now()
);
