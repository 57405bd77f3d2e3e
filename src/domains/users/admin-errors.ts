import { ConflictError, ForbiddenError, NotFoundError } from '../../core/index.ts';

/** Nobody would be left who could make another administrator. */
export function lastAdmin(): ConflictError {
  return new ConflictError('The last administrator cannot be taken away', { code: 'users.last_admin' });
}

export function ownRoles(): ForbiddenError {
  return new ForbiddenError('Nobody can change their own roles', { code: 'users.own_roles' });
}

export function noSuchUser(): NotFoundError {
  return new NotFoundError('There is no such user');
}
