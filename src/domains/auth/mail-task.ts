import { randomBytes } from 'node:crypto';
import { getLogger, MailError, type Mailer, type PasswordSecurity, type PeriodicTask } from '../../core/index.ts';
import type { AccountTokenStore } from './account-tokens.ts';
import type { AccountMailStore, DueMail } from './mail-queue.ts';
import { type MailTexts, writeMail } from './mail-texts.ts';

export type MailTaskOptions = {
  mails: AccountMailStore;
  accountTokens: AccountTokenStore;
  mailer: Mailer;
  passwords: Pick<PasswordSecurity, 'generateTokenHash'>;
  texts: MailTexts;
};

const INTERVAL_MS = 2_000;
/** At a time. */
const BATCH = 10;
/** More than a mail may take; a mail whose sender is gone waits for so long. */
const CLAIMED_SECONDS = 90;
/** A mail that is not taken is tried again after so long; after the last of these it is given up. */
const RETRY_AFTER_SECONDS = [10, 60, 300, 900];
/** Mails that are under way when the service stops have so long to arrive. */
const GRACE_MS = 3_000;

/**
 * Sends the mails that were asked for, each with a token that is made for it, so that none is kept anywhere but as a
 * hash. A mail that a crash interrupted is sent by whoever comes next, at worst twice; the later token is the good one.
 */
export function createMailTask({ mails, accountTokens, mailer, passwords, texts }: MailTaskOptions): PeriodicTask {
  const logger = getLogger('app.auth.mails');

  async function deliver(due: DueMail, signal: AbortSignal): Promise<void> {
    const { email, purpose, attempts } = due;
    const recipient = await accountTokens.findRecipient(email);
    const isPointless = recipient === undefined || (purpose === 'verify_email' && recipient.isVerified);
    if (isPointless) return mails.remove(due);
    const { userId } = recipient;
    const token = randomBytes(32).toString('base64url');
    await accountTokens.put(userId, purpose, email, passwords.generateTokenHash(token));
    try {
      await mailer.send(writeMail(texts, purpose, email, token), signal);
    } catch (error) {
      if (!(error instanceof MailError)) throw error;
      if (signal.aborted) return mails.postpone(due, 0);
      const retryInSeconds = error.isPermanent ? undefined : RETRY_AFTER_SECONDS[attempts - 1];
      const said = { purpose, user_id: userId, attempts, problem: error.message };
      if (retryInSeconds === undefined) {
        logger.error('A mail was given up', said);
        return mails.remove(due);
      }
      logger.warning('A mail was not sent and is tried again', { ...said, retry_in_s: retryInSeconds });
      return mails.postpone(due, retryInSeconds);
    }
    logger.info('Sent a mail', { purpose, user_id: userId });
    await mails.remove(due);
  }

  return {
    name: 'send_account_mails',
    intervalMs: INTERVAL_MS,
    async run(signal) {
      const late = new AbortController();
      const onStop = () => setTimeout(() => late.abort(), GRACE_MS).unref();
      signal.addEventListener('abort', onStop);
      try {
        while (!signal.aborted) {
          const due = await mails.claim(BATCH, CLAIMED_SECONDS);
          if (due.length === 0) return;
          const outcomes = await Promise.allSettled(due.map((each) => deliver(each, late.signal)));
          const failed = outcomes.find(({ status }) => status === 'rejected');
          if (failed?.status === 'rejected') throw failed.reason;
        }
      } finally {
        signal.removeEventListener('abort', onStop);
      }
    },
  };
}
