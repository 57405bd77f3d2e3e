import { ConflictError, ForbiddenError, NotFoundError, ServiceUnavailableError } from '../../core/index.ts';

// Each as a route declares it; those that a service throws have a function beside them, which says the same.

export const EMAIL_TAKEN = {
  type: ConflictError,
  code: 'auth.email_taken',
  description: 'An account with this address exists',
};

export function emailTaken(): ConflictError {
  return new ConflictError(EMAIL_TAKEN.description, { code: EMAIL_TAKEN.code });
}

/** Nobody would be left who could make another administrator. */
export const LAST_ADMIN = {
  type: ConflictError,
  code: 'users.last_admin',
  description: 'The last administrator cannot be taken away',
};

export function lastAdmin(): ConflictError {
  return new ConflictError(LAST_ADMIN.description, { code: LAST_ADMIN.code });
}

export const OWN_ROLES = {
  type: ForbiddenError,
  code: 'users.own_roles',
  description: 'Nobody can change their own roles',
};

export function ownRoles(): ForbiddenError {
  return new ForbiddenError(OWN_ROLES.description, { code: OWN_ROLES.code });
}

export const NO_SUCH_USER = { type: NotFoundError, description: 'There is no such user' };

export function noSuchUser(): NotFoundError {
  return new NotFoundError(NO_SUCH_USER.description);
}

// No 401: the token is good, and a client that refreshes it and tries again would change nothing.
export const WRONG_PASSWORD = {
  type: ForbiddenError,
  code: 'auth.wrong_password',
  description: 'The current password is wrong',
};

export function wrongPassword(): ForbiddenError {
  return new ForbiddenError(WRONG_PASSWORD.description, { code: WRONG_PASSWORD.code });
}

/** Of whatever checks or makes the hash of a password; `PasswordSecurity` throws it. */
export const PASSWORDS_BUSY = {
  type: ServiceUnavailableError,
  code: 'auth.busy',
  description: 'Too many sign-ins at this moment',
};
