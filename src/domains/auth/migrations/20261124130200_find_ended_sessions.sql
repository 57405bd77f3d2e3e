-- When a session ended: what is removed some time after that is found by it.
create index sessions_by_end on sessions (least(expires_at, revoked_at));
