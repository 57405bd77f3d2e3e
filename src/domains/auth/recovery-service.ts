import {
  getLogger,
  type Mailer,
  type PasswordSecurity,
  requireDto,
  type SessionDeviceInfo,
  ValidationError,
} from '../../core/index.ts';
import type { Database } from '../../db/postgres/database.ts';
import type { ActivityRecorder } from '../activity/index.ts';
import { normalizeEmail } from '../users/index.ts';
import type { AccountTokenStore } from './account-tokens.ts';
import { mailedTokenInvalid } from './errors.ts';
import { requestAccountMail } from './mail-queue.ts';
import { ForgotPassword, ResetPassword, VerifyEmail } from './schemas.ts';
import type { SessionStore } from './store.ts';

/** What people do who read the mail of an account. */
export type RecoveryService = {
  /** Has a mail sent to an address that has an account; tells nobody whether it has. Throws 503 where no mail can be sent. */
  requestReset(data: ForgotPassword): Promise<void>;
  /**
   * Ends all sessions. Throws 400 on a token that is not good, 422 on a password that is not good enough, after which
   * the token still works.
   */
  resetPassword(device: SessionDeviceInfo, data: ResetPassword): Promise<void>;
  /** Throws 400 on a token that is not good. */
  verifyEmail(device: SessionDeviceInfo, data: VerifyEmail): Promise<void>;
};

export type RecoveryServiceOptions = {
  database: Pick<Database, 'query' | 'transaction'>;
  accountTokens: AccountTokenStore;
  sessions: SessionStore;
  passwords: PasswordSecurity;
  mailer: Mailer;
  activity: ActivityRecorder;
};

export function createRecoveryService(options: RecoveryServiceOptions): RecoveryService {
  const { database, accountTokens, sessions, passwords, mailer, activity } = options;
  const logger = getLogger('app.auth.recovery');

  return {
    requestReset: requireDto(ForgotPassword)(async function requestReset({ email }) {
      mailer.assertAvailable();
      const address = normalizeEmail(email);
      // Whether it has an account is looked up by the task that sends, when nobody waits for an answer.
      if (address !== undefined) await requestAccountMail(database, 'reset_password', address);
    }),

    resetPassword: requireDto(ResetPassword)(async function resetPassword(device, { token, new_password }) {
      const tokenHash = passwords.generateTokenHash(token);
      const email = await accountTokens.findEmail('reset_password', tokenHash);
      if (email === undefined) throw mailedTokenInvalid();
      const problems = passwords.findPasswordProblems(new_password, '/body/new_password', email);
      if (problems.length > 0) throw new ValidationError(problems);
      const passwordHash = await passwords.generatePasswordHash(new_password);
      const userId = await database.transaction(async (tx) => {
        const id = await accountTokens.within(tx).resetPassword(tokenHash, passwordHash);
        if (id === undefined) return undefined;
        await sessions.within(tx).endSessionsOfUser(id);
        await activity.record(tx, { type: 'auth.password_reset', userId: id, device });
        return id;
      });
      if (userId === undefined) throw mailedTokenInvalid();
      logger.info('Reset the password', { user_id: userId });
    }),

    verifyEmail: requireDto(VerifyEmail)(async function verifyEmail(device, { token }) {
      const userId = await database.transaction(async (tx) => {
        const id = await accountTokens.within(tx).verifyEmail(passwords.generateTokenHash(token));
        if (id !== undefined) await activity.record(tx, { type: 'auth.verified', userId: id, device });
        return id;
      });
      if (userId === undefined) throw mailedTokenInvalid();
      logger.info('Verified the address', { user_id: userId });
    }),
  };
}
