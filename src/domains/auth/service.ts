import { randomUUID } from 'node:crypto';
import {
  getLogger,
  type JwtService,
  type PasswordSecurity,
  requireDto,
  ServiceUnavailableError,
  type SessionDeviceInfo,
  UnauthorizedError,
  ValidationError,
} from '../../core/index.ts';
import type { Database } from '../../db/postgres/database.ts';
import type { ActivityRecorder } from '../activity/index.ts';
import { emailProblem, emailTaken, normalizeEmail, type User, type UserStore } from '../users/index.ts';
import type { AccountMails } from './account-mails.ts';
import { Credentials, type TokenPair } from './schemas.ts';
import type { SessionStore } from './store.ts';
import { createTokenPair, newTokenIdentity } from './token-pair.ts';

export type AuthService = {
  /** Throws 422 on an address or password that cannot be taken, 409 when the address has an account. */
  register(device: SessionDeviceInfo, credentials: Credentials): Promise<User>;
  /** Throws 401, the same for an unknown address and a wrong password. */
  login(device: SessionDeviceInfo, credentials: Credentials): Promise<TokenPair>;
};

export type AuthServiceOptions = {
  database: Pick<Database, 'transaction'>;
  users: UserStore;
  sessions: SessionStore;
  accountMails: AccountMails;
  passwords: PasswordSecurity;
  tokens: JwtService;
  activity: ActivityRecorder;
  accessTokenTtlSeconds: number;
  sessionTtlSeconds: number;
  /** Whether registering says that an address has an account; if not, it answers as if it had made one. */
  revealsTaken: boolean;
  /** Milliseconds since the epoch. */
  clock?: () => number;
};

export function createAuthService(options: AuthServiceOptions): AuthService {
  const { database, users, sessions, accountMails, passwords, activity, clock = Date.now } = options;
  const logger = getLogger('app.auth.service');

  function refuse(userId: string | null, device: SessionDeviceInfo): UnauthorizedError {
    activity.noteRefusal({ type: 'auth.refused', userId, device });
    return new UnauthorizedError('The address or the password is wrong', { code: 'auth.invalid_credentials' });
  }

  /** Brings an old hash to the parameters of today. The next sign-in does it where this one cannot. */
  async function rehash(userId: string, password: string, oldHash: string): Promise<void> {
    if (!passwords.needsRehash(oldHash)) return;
    try {
      await users.replacePasswordHash(userId, oldHash, await passwords.generatePasswordHash(password));
    } catch (error) {
      if (!(error instanceof ServiceUnavailableError)) throw error;
      logger.warning('A password kept its old hash', { user_id: userId, problem: error.message });
    }
  }

  return {
    register: requireDto(Credentials)(async function register(device, { email, password }) {
      const address = normalizeEmail(email);
      const problems = passwords.findPasswordProblems(password, '/body/password', address);
      if (address === undefined) problems.unshift(emailProblem('/body/email'));
      if (address === undefined || problems.length > 0) throw new ValidationError(problems);
      const user = { id: randomUUID(), email: address, roles: ['user'], createdAt: new Date(clock()) };
      const passwordHash = await passwords.generatePasswordHash(password);
      const event = activity.eventOf({ type: 'auth.registered', userId: user.id, device });
      const isNew = await database.transaction(async (tx) => {
        const inserted = await users.within(tx).insertUser({ ...user, passwordHash }, event);
        // Where nobody is to learn that the address is taken, the same is done for it; its owner verifies it or has.
        if (inserted || !options.revealsTaken) await accountMails.requestVerification(tx, address);
        return inserted;
      });
      if (!isNew) {
        if (!options.revealsTaken) return user;
        throw emailTaken();
      }
      logger.info('Registered', { user_id: user.id });
      return user;
    }),

    login: requireDto(Credentials)(async function login(device, { email, password }) {
      passwords.assertVerifiable(password, '/body/password');
      const address = normalizeEmail(email);
      const user = address === undefined ? undefined : await users.findUserByEmail(address);
      const isRight =
        user === undefined
          ? await passwords.verifyAgainstNobody(password)
          : await passwords.verifyPassword(password, user.passwordHash);
      if (user === undefined || !isRight || user.isDisabled) throw refuse(user?.id ?? null, device);
      const sessionId = randomUUID();
      const refreshToken = newTokenIdentity(clock());
      const session = {
        id: sessionId,
        userId: user.id,
        passwordHash: user.passwordHash,
        refreshToken,
        device,
        expiresAt: new Date(clock() + options.sessionTtlSeconds * 1000),
      };
      const event = activity.eventOf({ type: 'auth.signed_in', userId: user.id, device });
      const begun = await sessions.insertSession(session, event);
      if (!begun) throw refuse(user.id, device);
      await rehash(user.id, password, user.passwordHash);
      logger.info('Signed in', { user_id: user.id, session_id: sessionId, device: device.fingerprint() });
      return createTokenPair(options, { userId: user.id, roles: user.roles, sessionId }, refreshToken);
    }),
  };
}
