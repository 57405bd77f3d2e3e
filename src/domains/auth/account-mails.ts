import type { Mailer } from '../../core/index.ts';
import type { Queryable } from '../../db/postgres/database.ts';
import { createAccountTokenStore } from './account-tokens.ts';
import { requestAccountMail } from './mail-queue.ts';

/** What is mailed when an account changes, for whoever changes it. */
export type AccountMails = {
  /**
   * Has a mail sent by which the user can show that the address is theirs, as surely as `tx` commits. None is sent to an
   * address that is verified already, and none where no mail can be sent.
   */
  requestVerification(tx: Queryable, email: string): Promise<void>;
  /** Makes useless what was mailed to a user who had forgotten the password. */
  revokeReset(tx: Queryable, userId: string): Promise<void>;
};

export function createAccountMails({ isAvailable }: Pick<Mailer, 'isAvailable'>): AccountMails {
  return {
    async requestVerification(tx, email) {
      // Whoever registers needs no mail, so a service without a mail server still makes accounts.
      if (isAvailable) await requestAccountMail(tx, 'verify_email', email);
    },
    revokeReset: (tx, userId) => createAccountTokenStore(tx).revoke(userId, 'reset_password'),
  };
}
