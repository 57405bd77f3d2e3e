import { BadRequestError, ServiceUnavailableError } from '../../core/index.ts';
import { PASSWORDS_BUSY } from '../users/index.ts';

/** Of a route without a token, where `authenticate` does not say it already. */
export const POSTGRES_AWAY = {
  type: ServiceUnavailableError,
  code: 'postgres.unavailable',
  description: 'The database cannot be reached',
};

/** What whatever touches an account's password may run into, without a token. */
export const BUSY = [PASSWORDS_BUSY, POSTGRES_AWAY];

export const MAILED_TOKEN_INVALID = {
  type: BadRequestError,
  code: 'auth.mailed_token_invalid',
  description: 'The token is not valid: it was used, is over, or a later one was sent',
};

export function mailedTokenInvalid(): BadRequestError {
  return new BadRequestError(MAILED_TOKEN_INVALID.description, { code: MAILED_TOKEN_INVALID.code });
}
