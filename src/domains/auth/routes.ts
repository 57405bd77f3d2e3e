import { type PasswordSecurity, type Route, route, UnauthorizedError } from '../../core/index.ts';
import { EMAIL_TAKEN, toUserView, UserView } from '../users/index.ts';
import { BUSY } from './errors.ts';
import type { AuthLimits } from './limits.ts';
import { Credentials, TokenPair } from './schemas.ts';
import type { AuthService } from './service.ts';

/** The routes through which a person gets an account and signs in. */
export function createAuthRoutes(
  auth: AuthService,
  limits: AuthLimits,
  passwords: Pick<PasswordSecurity, 'refusal'>,
): Route[] {
  const admit = () => passwords.refusal();
  return [
    route({
      method: 'post',
      path: '/auth/register',
      summary: 'Make an account',
      limits: limits.register,
      admit,
      body: Credentials,
      responses: { 201: { description: 'The new user', schema: UserView } },
      errors: [EMAIL_TAKEN, ...BUSY],
      async handler(ctx) {
        const { input, deviceInfo } = ctx.state;
        const user = await auth.register(deviceInfo, input.body);
        ctx.respond.success(toUserView(user), { status: 201 });
      },
    }),
    route({
      method: 'post',
      path: '/auth/login',
      summary: 'Sign in',
      limits: limits.login,
      admit,
      body: Credentials,
      responses: { 200: { description: 'Tokens of a new session', schema: TokenPair } },
      errors: [
        {
          type: UnauthorizedError,
          code: 'auth.invalid_credentials',
          description: 'The address or the password is wrong',
        },
        ...BUSY,
      ],
      async handler(ctx) {
        const { input, deviceInfo } = ctx.state;
        ctx.respond.success(await auth.login(deviceInfo, input.body));
      },
    }),
  ];
}
