import { type Route, route, ServiceUnavailableError } from '../../core/index.ts';
import { MAIL_TOKEN_TTL_SECONDS } from './account-tokens.ts';
import { BUSY, MAILED_TOKEN_INVALID, POSTGRES_AWAY } from './errors.ts';
import type { AuthLimits } from './limits.ts';
import type { RecoveryService } from './recovery-service.ts';
import { ForgotPassword, MailAnnounced, ResetPassword, VerifyEmail } from './schemas.ts';

/** The routes for who cannot sign in, or shows that an address is theirs, by what was mailed to it. */
export function createRecoveryRoutes(recovery: RecoveryService, limits: Pick<AuthLimits, 'forgotPassword'>): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/password/forgot',
      summary: 'Have a token mailed that lets one choose a new password',
      description: 'The answer is the same whether the address has an account or not. A later token ends earlier ones.',
      body: ForgotPassword,
      limits: limits.forgotPassword,
      responses: { 202: { description: 'A mail is on its way if there is an account', schema: MailAnnounced } },
      errors: [
        { type: ServiceUnavailableError, code: 'mail.unavailable', description: 'No mail can be sent here' },
        POSTGRES_AWAY,
      ],
      async handler(ctx) {
        await recovery.requestReset(ctx.state.input.body);
        ctx.respond.success({ expires_in: MAIL_TOKEN_TTL_SECONDS }, { status: 202 });
      },
    }),
    route({
      method: 'post',
      path: '/auth/password/reset',
      summary: 'Choose a new password by a mailed token, and end all sessions',
      description: 'A token works once. After a password that is not good enough it still does.',
      body: ResetPassword,
      responses: { 204: { description: 'It is changed, and all sessions have ended' } },
      errors: [MAILED_TOKEN_INVALID, ...BUSY],
      async handler(ctx) {
        const { input, deviceInfo } = ctx.state;
        await recovery.resetPassword(deviceInfo, input.body);
        ctx.respond.success(undefined, { status: 204 });
      },
    }),
    route({
      method: 'post',
      path: '/auth/verify',
      summary: 'Show by a mailed token that an address is mine',
      description: 'The token comes by mail after registering and after a change of the address, and works once.',
      body: VerifyEmail,
      responses: { 204: { description: 'The address is verified' } },
      errors: [MAILED_TOKEN_INVALID, POSTGRES_AWAY],
      async handler(ctx) {
        const { input, deviceInfo } = ctx.state;
        await recovery.verifyEmail(deviceInfo, input.body);
        ctx.respond.success(undefined, { status: 204 });
      },
    }),
  ];
}
