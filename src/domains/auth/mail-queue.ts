import type { Queryable } from '../../db/postgres/database.ts';
import type { MailPurpose } from './account-tokens.ts';

/** A mail that is to be sent now, by whoever claimed it. `attempts` counts this one, and tells claims apart. */
export type DueMail = { email: string; purpose: MailPurpose; attempts: number };

/** What is asked of the table `account_mails`. */
export type AccountMailStore = {
  /** Up to `limit` mails that are due; nobody else gets them for `seconds`, so that a crash delays a mail and loses none. */
  claim(limit: number, seconds: number): Promise<DueMail[]>;
  /** It is sent, or will never be. */
  remove(mail: DueMail): Promise<void>;
  /** It is to be tried again in so many seconds. */
  postpone(mail: DueMail, seconds: number): Promise<void>;
};

const REQUEST_MAIL = {
  name: 'request_account_mail',
  text: 'insert into account_mails (email, purpose) values ($1, $2) on conflict do nothing',
};
const CLAIM_MAILS = {
  name: 'claim_account_mails',
  text: `update account_mails m set attempts = m.attempts + 1, due_at = now() + make_interval(secs => $2)
    from (select email, purpose from account_mails where due_at <= now() order by due_at limit $1
      for update skip locked) due
    where m.email = due.email and m.purpose = due.purpose
    returning m.email, m.purpose, m.attempts`,
};
const THIS_CLAIM = 'where email = $1 and purpose = $2 and attempts = $3';
const REMOVE_MAIL = { name: 'remove_account_mail', text: `delete from account_mails ${THIS_CLAIM}` };
const POSTPONE_MAIL = {
  name: 'postpone_account_mail',
  text: `update account_mails set due_at = now() + make_interval(secs => $4) ${THIS_CLAIM}`,
};

/**
 * Has a mail sent to an address, as surely as `tx` commits and if there is an account with it. One that waits already is
 * not sent twice.
 */
export async function requestAccountMail(tx: Queryable, purpose: MailPurpose, email: string): Promise<void> {
  await tx.query(REQUEST_MAIL, [email, purpose]);
}

export function createAccountMailStore(db: Queryable): AccountMailStore {
  const keyOf = ({ email, purpose, attempts }: DueMail) => [email, purpose, attempts];
  return {
    claim: (limit, seconds) => db.query<DueMail>(CLAIM_MAILS, [limit, seconds]),
    async remove(mail) {
      await db.query(REMOVE_MAIL, keyOf(mail));
    },
    async postpone(mail, seconds) {
      await db.query(POSTPONE_MAIL, [...keyOf(mail), seconds]);
    },
  };
}
