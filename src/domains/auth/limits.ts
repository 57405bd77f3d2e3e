import { getLogger, isSameNetwork, type RouteLimits, type SessionDeviceInfo, type Settings } from '../../core/index.ts';
import type { ActivityRecorder } from '../activity/index.ts';
import { normalizeEmail, type UserStore } from '../users/index.ts';
import type { Credentials, ForgotPassword } from './schemas.ts';
import type { SessionStore } from './store.ts';

const MINUTE = 60;
const HOUR = 3600;
/** Wrong passwords for one account from anywhere, and the longest wait between two tries after them. */
const FAILURES_AN_HOUR = 50;
const LONGEST_DELAY = 900;
const FORGOTTEN_AN_HOUR = 5;

export type AuthLimitsOptions = {
  settings: Pick<Settings, 'rateLimitLoginAccount' | 'rateLimitLoginAddress' | 'rateLimitRegister'>;
  users: Pick<UserStore, 'findUserByEmail'>;
  sessions: Pick<SessionStore, 'findAddressesOfSessions'>;
  activity: ActivityRecorder;
};

/** How often somebody may try to sign in, to register, and to have mail sent about a password. */
export type AuthLimits = {
  login: RouteLimits<Credentials>;
  register: RouteLimits;
  forgotPassword: RouteLimits<ForgotPassword>;
};

/** The limits of signing in, registering and forgotten passwords (OWASP ASVS 6.3.1, NIST SP 800-63B-4 §3.2.2). */
export function createAuthLimits({ settings, users, sessions, activity }: AuthLimitsOptions): AuthLimits {
  const onRefused = createRefusalRecorder({ users, activity });
  return {
    login: {
      byAddress: [
        {
          name: 'login-address',
          max: settings.rateLimitLoginAddress,
          windowSeconds: MINUTE,
          setting: 'RATE_LIMIT_LOGIN_ADDRESS',
        },
      ],
      byAccount: [
        {
          name: 'login',
          max: settings.rateLimitLoginAccount,
          windowSeconds: MINUTE,
          setting: 'RATE_LIMIT_LOGIN_ACCOUNT',
          andAddress: true,
        },
        {
          name: 'login-account',
          max: FAILURES_AN_HOUR,
          windowSeconds: HOUR,
          failures: 'auth.invalid_credentials',
          longestDelaySeconds: LONGEST_DELAY,
          // Whoever is signed in there has shown that they know the password: others cannot lock them out.
          async isExempt(account, address) {
            const known = await sessions.findAddressesOfSessions(account);
            return known.some((each) => isSameNetwork(each, address));
          },
        },
      ],
      account: ({ body }) => normalizeEmail(body.email),
      onRefused,
    },
    register: {
      byAddress: [
        {
          name: 'register',
          max: settings.rateLimitRegister,
          windowSeconds: HOUR,
          setting: 'RATE_LIMIT_REGISTER',
        },
      ],
      onRefused,
    },
    forgotPassword: {
      byAddress: [{ name: 'forgot', max: FORGOTTEN_AN_HOUR, windowSeconds: HOUR }],
      byAccount: [{ name: 'forgot-account', max: FORGOTTEN_AN_HOUR, windowSeconds: HOUR }],
      account: ({ body }) => normalizeEmail(body.email),
      onRefused,
    },
  };
}

/**
 * Records `auth.limited`: for the user whose account it is about where one is told, else for nobody. Use it as
 * `onRefused` of every route that is about accounts.
 */
export function createRefusalRecorder({ users, activity }: Pick<AuthLimitsOptions, 'users' | 'activity'>) {
  const logger = getLogger('app.auth.limits');
  return async function onRefused(device: SessionDeviceInfo, account: string | undefined): Promise<void> {
    const user = account === undefined ? undefined : await users.findUserByEmail(account);
    if (user !== undefined) logger.warning('Sign-ins to an account are being refused', { user_id: user.id });
    activity.noteRefusal({ type: 'auth.limited', userId: user?.id ?? null, device });
  };
}
