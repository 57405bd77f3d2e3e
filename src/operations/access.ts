import { createHash, timingSafeEqual } from 'node:crypto';
import type { Settings } from '../core/config/index.ts';
import { NotFoundError, UnauthorizedError } from '../core/index.ts';

type AccessSettings = Pick<Settings, 'environment' | 'metricsToken' | 'metricsPort'>;

/** Where a request for metrics or health details came in. */
export type Listener = 'public' | 'metrics';

/**
 * Who may see metrics and the details of health. With `METRICS_TOKEN`: who has it. With `METRICS_PORT`: who asks there.
 * With neither: everybody, but in production nobody.
 */
export function createOperationsAccess(settings: AccessSettings) {
  const { metricsToken: token, metricsPort } = settings;

  function hasToken(authorization: string | undefined): boolean {
    if (token === undefined) return true;
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
    return timingSafeEqual(digest(given), digest(token));
  }

  function isOffered(listener: Listener): boolean {
    if (metricsPort !== undefined) return listener === 'metrics';
    return token !== undefined || settings.environment !== 'production';
  }

  return {
    /** Whether the details of health may be shown. */
    maySeeDetails: (listener: Listener, authorization: string | undefined) =>
      isOffered(listener) && hasToken(authorization),
    /** Throws 404 where metrics are not offered, 401 without the token. */
    assertMayScrape(listener: Listener, authorization: string | undefined): void {
      if (!isOffered(listener)) throw new NotFoundError('Nothing is served here');
      if (!hasToken(authorization)) {
        throw new UnauthorizedError('Send METRICS_TOKEN as a bearer token', { code: 'auth.token_invalid' });
      }
    },
  };
}

export type OperationsAccess = ReturnType<typeof createOperationsAccess>;

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
