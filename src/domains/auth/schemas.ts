import Type, { type Static } from 'typebox';
import { BaseDTO } from '../../core/index.ts';

/** Longer texts are refused before anything is computed from them. */
const MAX_PASSWORD_BYTES = 1024;

/**
 * An address and a password. Which passwords are good enough is checked when one is chosen, not at sign-in; see the
 * service.
 */
export const Credentials = BaseDTO(
  {
    email: Type.String({ minLength: 1, maxLength: 1024, examples: ['ada@example.org'] }),
    password: Type.String({ minLength: 1, maxLength: MAX_PASSWORD_BYTES, examples: ['correct horse battery'] }),
  },
  { title: 'Credentials' },
);
export type Credentials = Static<typeof Credentials>;

/** RFC 6749 §5.1, with the session. */
export const TokenPair = BaseDTO(
  {
    access_token: Type.String(),
    refresh_token: Type.String(),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds until the access token expires', examples: [900] }),
    session_id: Type.String({ format: 'uuid' }),
  },
  { title: 'TokenPair' },
);
export type TokenPair = Static<typeof TokenPair>;
