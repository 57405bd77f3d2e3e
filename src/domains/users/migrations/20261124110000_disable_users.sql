alter table users add column disabled_at timestamptz;

create index users_by_age on users (created_at desc, id desc);
create index users_admins on users (id) where 'admin' = any (roles);
