import {
  getLogger,
  type PasswordSecurity,
  type Principal,
  requireDto,
  type SessionDeviceInfo,
  UnauthorizedError,
  ValidationError,
} from '../../core/index.ts';
import type { Database, Queryable } from '../../db/postgres/database.ts';
import { type ActivityRecorder, requestErasure } from '../activity/index.ts';
import type { AccountMails, SessionStore } from '../auth/index.ts';
import { emailProblem, normalizeEmail } from './email.ts';
import { emailTaken, lastAdmin, wrongPassword } from './errors.ts';
import { ChangeEmail, ChangePassword, DeleteAccount } from './schemas.ts';
import type { Account, User, UserStore } from './store.ts';

/** What users do with their own account. Each throws 403 when the current password is wrong. */
export type AccountService = {
  /** Has a mail sent to verify the address. Throws 422 on one that cannot be taken, 409 when another account has it. */
  changeEmail(principal: Principal, device: SessionDeviceInfo, data: ChangeEmail): Promise<User>;
  /** Ends all other sessions. Throws 422 on a password that is not good enough. */
  changePassword(principal: Principal, device: SessionDeviceInfo, data: ChangePassword): Promise<void>;
  /** Ends all sessions and has the activity anonymized. Throws 409 when nobody else is an administrator. */
  deleteAccount(principal: Principal, device: SessionDeviceInfo, data: DeleteAccount): Promise<void>;
};

export type AccountServiceOptions = {
  database: Pick<Database, 'query' | 'transaction'>;
  users: UserStore;
  sessions: SessionStore;
  accountMails: AccountMails;
  passwords: PasswordSecurity;
  activity: ActivityRecorder;
};

export function createAccountService(options: AccountServiceOptions): AccountService {
  const { database, users, sessions, accountMails, passwords, activity } = options;
  const logger = getLogger('app.users.account');

  async function confirm({ userId }: Principal, device: SessionDeviceInfo, password: string): Promise<Account> {
    const account = await users.findUserById(userId);
    if (account === undefined) throw gone();
    if (await passwords.verifyPassword(password, account.passwordHash)) return account;
    await activity.record(database, { type: 'auth.refused', userId, device });
    throw wrongPassword();
  }

  return {
    changeEmail: requireDto(ChangeEmail)(async function changeEmail(principal, device, { email, current_password }) {
      passwords.assertVerifiable(current_password, '/body/current_password');
      const address = normalizeEmail(email);
      if (address === undefined) throw new ValidationError([emailProblem('/body/email')]);
      const { id, roles, createdAt, email: before } = await confirm(principal, device, current_password);
      const event = activity.eventOf({ type: 'user.email_changed', userId: id, device });
      const outcome = await database.transaction(async (tx) => {
        const changed = address === before ? 'same' : await users.within(tx).changeEmail(id, address, event);
        // The same address once more is how to get another mail for one that is not verified yet.
        if (changed === 'changed' || changed === 'same') await accountMails.requestVerification(tx, address);
        return changed;
      });
      if (outcome === 'gone') throw gone();
      if (outcome === 'taken') throw emailTaken();
      if (outcome === 'changed') logger.info('Changed the address', { user_id: id });
      return { id, email: address, roles, createdAt };
    }),

    changePassword: requireDto(ChangePassword)(async function changePassword(principal, device, data) {
      const { current_password, new_password } = data;
      passwords.assertVerifiable(current_password, '/body/current_password');
      const problems = passwords.findPasswordProblems(new_password, '/body/new_password', principal.email);
      if (problems.length > 0) throw new ValidationError(problems);
      const { id, passwordHash } = await confirm(principal, device, current_password);
      const newHash = await passwords.generatePasswordHash(new_password);
      await database.transaction(async (tx) => {
        // Another hash by now: what was checked is no longer the current password.
        if (!(await users.within(tx).replacePasswordHash(id, passwordHash, newHash))) throw wrongPassword();
        await sessions.within(tx).endSessionsOfUser(id, principal.sessionId);
        await accountMails.revokeReset(tx, id);
        await activity.record(tx, { type: 'auth.password_changed', userId: id, device });
      });
      logger.info('Changed the password', { user_id: id });
    }),

    deleteAccount: requireDto(DeleteAccount)(async function deleteAccount(principal, device, { current_password }) {
      passwords.assertVerifiable(current_password, '/body/current_password');
      const { id } = await confirm(principal, device, current_password);
      await database.transaction(async (tx) => {
        await removeUser(tx, id);
        await activity.record(tx, { type: 'user.deleted', userId: id, device });
        await requestErasure(tx, id);
      });
      logger.info('Deleted the account', { user_id: id });
    }),
  };

  async function removeUser(tx: Queryable, id: string): Promise<void> {
    const store = users.within(tx);
    const account = await store.lockForRemoval(id);
    if (account === undefined) throw gone();
    if (account.isLastAdmin) throw lastAdmin();
    // The sessions go with the user.
    await store.deleteUser(id);
  }
}

/** As `authenticate` would have said a moment later. */
function gone(): UnauthorizedError {
  return new UnauthorizedError('The account is gone', { code: 'auth.token_invalid' });
}
