import { type Route, route } from '../../core/index.ts';
import { toUserView, UserView } from '../users/index.ts';
import { Credentials, TokenPair } from './schemas.ts';
import type { AuthService } from './service.ts';

/** The routes through which a person gets an account and signs in. */
export function createAuthRoutes(auth: AuthService): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/register',
      summary: 'Make an account',
      body: Credentials,
      responses: { 201: { description: 'The new user', schema: UserView } },
      async handler(ctx) {
        const { input, deviceInfo } = ctx.state;
        const user = await auth.register(input.body, deviceInfo);
        ctx.respond.success(toUserView(user), { status: 201 });
      },
    }),
    route({
      method: 'post',
      path: '/auth/login',
      summary: 'Sign in',
      body: Credentials,
      responses: { 200: { description: 'Tokens of a new session', schema: TokenPair } },
      async handler(ctx) {
        const { input, deviceInfo } = ctx.state;
        ctx.respond.success(await auth.login(input.body, deviceInfo));
      },
    }),
  ];
}
