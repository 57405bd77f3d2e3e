import { BaseDTO, type Static, Type } from '../../core/index.ts';
import { Password } from '../users/index.ts';

const Email = Type.String({ minLength: 1, maxLength: 1024, examples: ['ada@example.org'] });

/**
 * An address and a password. Which passwords are good enough is checked when one is chosen, not at sign-in; see the
 * service.
 */
export const Credentials = BaseDTO(
  {
    email: Email,
    password: Password,
  },
  { title: 'Credentials' },
);
export type Credentials = Static<typeof Credentials>;

const RefreshToken = Type.String({ minLength: 1, maxLength: 4096, examples: ['eyJhbGciOi…'] });

/** RFC 6749 §6. */
export const RefreshRequest = BaseDTO({ refresh_token: RefreshToken }, { title: 'RefreshRequest' });
export type RefreshRequest = Static<typeof RefreshRequest>;

/** With a refresh token of another session of the same user, that one ends as well. */
export const LogoutRequest = BaseDTO({ refresh_token: Type.Optional(RefreshToken) }, { title: 'LogoutRequest' });
export type LogoutRequest = Static<typeof LogoutRequest>;

const Part = Type.Optional(Type.String());

const MailedToken = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'As it came by mail',
  examples: ['q3Zt…'],
});

export const ForgotPassword = BaseDTO({ email: Email }, { title: 'ForgotPassword' });
export type ForgotPassword = Static<typeof ForgotPassword>;

export const ResetPassword = BaseDTO({ token: MailedToken, new_password: Password }, { title: 'ResetPassword' });
export type ResetPassword = Static<typeof ResetPassword>;

export const VerifyEmail = BaseDTO({ token: MailedToken }, { title: 'VerifyEmail' });
export type VerifyEmail = Static<typeof VerifyEmail>;

/** The same whether a mail is sent or not. */
export const MailAnnounced = BaseDTO(
  {
    expires_in: Type.Integer({
      description: 'Seconds for which a token is good from when it is sent',
      examples: [1800],
    }),
  },
  { title: 'MailAnnounced' },
);

/** A session as the API shows it, with the device that it began on. */
export const SessionView = BaseDTO(
  {
    id: Type.String({ format: 'uuid' }),
    current: Type.Boolean({ description: 'Whether it is the one that this request was made in' }),
    created_at: Type.String({ format: 'date-time' }),
    last_seen_at: Type.String({ format: 'date-time', description: 'To the minute' }),
    expires_at: Type.String({ format: 'date-time' }),
    device: BaseDTO(
      {
        user_agent: Part,
        ip_address: Type.String({ examples: ['192.0.2.1'] }),
        device_type: Part,
        os: Part,
        browser: Part,
        app_version: Part,
      },
      { title: 'SessionDevice' },
    ),
  },
  { title: 'SessionView' },
);

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
