import { getLogger, type RouteLimits } from '../../core/index.ts';
import type { ActivityRecorder } from '../activity/index.ts';
import { WRONG_PASSWORD } from './errors.ts';

/** Wrong current passwords of an account, and the longest wait between two tries after them. */
const FAILURES_AN_HOUR = 10;
const HOUR_SECONDS = 3600;
const LONGEST_DELAY_SECONDS = 900;

/**
 * How often whoever is signed in may be wrong about the current password, at all routes that ask for it together: a
 * stolen access token is no place to guess from (OWASP ASVS 6.3.1). No address is exempt, since the token may be used
 * where it was stolen.
 */
export function createConfirmLimits(activity: Pick<ActivityRecorder, 'noteRefusal'>): RouteLimits {
  const logger = getLogger('app.users.limits');
  return {
    scope: 'current-password',
    byAccount: [
      {
        name: 'current-password',
        max: FAILURES_AN_HOUR,
        windowSeconds: HOUR_SECONDS,
        failures: WRONG_PASSWORD.code,
        longestDelaySeconds: LONGEST_DELAY_SECONDS,
      },
    ],
    account: ({ principal }) => principal?.userId,
    onRefused(device, userId) {
      if (userId !== undefined)
        logger.warning('Guesses at the current password are being refused', { user_id: userId });
      activity.noteRefusal({ type: 'auth.limited', userId: userId ?? null, device });
    },
  };
}
