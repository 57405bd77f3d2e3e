import { ForbiddenError } from '../errors/app-http-error.ts';
import type { Middleware } from './state.ts';

/**
 * Lets only users pass who have one of the roles, as the store knows them now; behind `authenticate`. A route declares
 * them by `roles`. Throws 403. Throws `TypeError` at once when there are none: nobody could pass.
 */
export function requireRoles(...roles: readonly string[]): Middleware {
  if (roles.length === 0) throw new TypeError('requireRoles takes at least one role');
  return function requireRoles(ctx, next) {
    if (!ctx.state.principal?.roles.some((role) => roles.includes(role))) {
      throw new ForbiddenError(`Only for the role ${roles.join(' or ')}`, { code: 'auth.role_required' });
    }
    return next();
  };
}
