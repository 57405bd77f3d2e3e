import type { Queryable } from '../../db/postgres/database.ts';

/** What a mailed token lets its holder do. */
export type MailPurpose = 'reset_password' | 'verify_email';

/** How long a mailed token is good. */
export const MAIL_TOKEN_TTL_SECONDS = 1800;

/** Who a mail to an address is for. */
export type Recipient = { userId: string; isVerified: boolean };

/**
 * What is asked of the table `account_tokens`. A token is good once, for half an hour, while its account is not disabled
 * and still has the address that it was sent to. Hashes are those of `PasswordSecurity.generateTokenHash`.
 */
export type AccountTokenStore = {
  /** The account with an address, unless it is disabled. */
  findRecipient(email: string): Promise<Recipient | undefined>;
  /** A later token of the same purpose takes the place of an earlier one. */
  put(userId: string, purpose: MailPurpose, email: string, tokenHash: string): Promise<void>;
  /** The address that a token which is good was sent to. */
  findEmail(purpose: MailPurpose, tokenHash: string): Promise<string | undefined>;
  /** Uses up a token and gives its account another password; resolves to the user, or `undefined` when it is not good. */
  resetPassword(tokenHash: string, passwordHash: string): Promise<string | undefined>;
  /** Uses up a token and takes note that the address is its user's; resolves as above. */
  verifyEmail(tokenHash: string): Promise<string | undefined>;
  /** Makes the token of a user useless. */
  revoke(userId: string, purpose: MailPurpose): Promise<void>;
  /** The same questions, asked in a transaction. */
  within(tx: Queryable): AccountTokenStore;
};

const FIND_RECIPIENT = {
  name: 'find_mail_recipient',
  text: `select id as "userId", verified_at is not null as "isVerified" from users
    where email = $1 and disabled_at is null`,
};
const PUT_TOKEN = {
  name: 'put_account_token',
  text: `insert into account_tokens (user_id, purpose, email, token_hash, expires_at)
    values ($1, $2, $3, $4, now() + make_interval(secs => $5))
    on conflict (user_id, purpose) do update set email = excluded.email, token_hash = excluded.token_hash,
      expires_at = excluded.expires_at`,
};
const FIND_EMAIL = {
  name: 'find_account_token',
  text: `select t.email from account_tokens t join users u on u.id = t.user_id and u.email = t.email
    where t.token_hash = $2 and t.purpose = $1 and t.expires_at > now() and u.disabled_at is null`,
};
// Of many who use one token at once the first alone finds a row to delete.
const USED = `with used as (
    delete from account_tokens where token_hash = $2 and purpose = $1 and expires_at > now() returning user_id, email)`;
const OF_ITS_USER =
  'from used where u.id = used.user_id and u.email = used.email and u.disabled_at is null returning u.id';
const RESET_PASSWORD = {
  name: 'reset_password',
  text: `${USED} update users u set password_hash = $3 ${OF_ITS_USER}`,
};
const VERIFY_EMAIL = {
  name: 'verify_email',
  text: `${USED} update users u set verified_at = coalesce(u.verified_at, now()) ${OF_ITS_USER}`,
};
const REVOKE_TOKEN = {
  name: 'revoke_account_token',
  text: 'delete from account_tokens where user_id = $1 and purpose = $2',
};

export function createAccountTokenStore(db: Queryable): AccountTokenStore {
  return {
    async findRecipient(email) {
      const [recipient] = await db.query<Recipient>(FIND_RECIPIENT, [email]);
      return recipient;
    },
    async put(userId, purpose, email, tokenHash) {
      await db.query(PUT_TOKEN, [userId, purpose, email, tokenHash, MAIL_TOKEN_TTL_SECONDS]);
    },
    async findEmail(purpose, tokenHash) {
      const [found] = await db.query<{ email: string }>(FIND_EMAIL, [purpose, tokenHash]);
      return found?.email;
    },
    async resetPassword(tokenHash, passwordHash) {
      const [user] = await db.query<{ id: string }>(RESET_PASSWORD, ['reset_password', tokenHash, passwordHash]);
      return user?.id;
    },
    async verifyEmail(tokenHash) {
      const [user] = await db.query<{ id: string }>(VERIFY_EMAIL, ['verify_email', tokenHash]);
      return user?.id;
    },
    async revoke(userId, purpose) {
      await db.query(REVOKE_TOKEN, [userId, purpose]);
    },
    within: createAccountTokenStore,
  };
}
