-- What makes the refresh token that is good now, and the one that it came from, without keeping either.
-- The hash is not written any more; it stays for a version of the service that still writes it.
alter table sessions
  alter column refresh_token_hash drop not null,
  add column refresh_jti uuid,
  add column refresh_issued_at timestamptz,
  add column previous_refresh_jti uuid,
  add column rotated_at timestamptz;
