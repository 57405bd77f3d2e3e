import { ConflictError, Type } from '../../core/index.ts';
import type { Uses } from './uses.ts';

/** What all switches share in their declaration. */
export const COMMON = { roles: ['admin'], tags: ['operations'] } as const;

/** How long a switch lasts; then it goes back by itself. */
export const Seconds = Type.Integer({ minimum: 1, maximum: 3600, description: 'Afterwards it goes back by itself' });

export const ExpiresAt = Type.String({ format: 'date-time', description: 'When it goes back by itself' });

export const TOO_MANY = {
  type: ConflictError,
  code: 'operations.too_many',
  description: 'As many are set as may be at a time',
};

/** Throws 409 where there is no room, or nothing was set for lack of it. */
export function assertRoom<T>(found: T | undefined | false, { here }: Uses): asserts found is T {
  if (found !== undefined && found !== false) return;
  throw new ConflictError('So many are set already: end one first', { code: 'operations.too_many', ...here });
}
