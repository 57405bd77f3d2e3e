-- When somebody showed to read the mail of the address that the account has now; null again when it gets another.
alter table users add column verified_at timestamptz;
