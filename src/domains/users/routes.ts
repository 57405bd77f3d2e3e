import { getCurrentUserSession, type Route, type RouteLimits, route } from '../../core/index.ts';
import type { AccountService } from './account-service.ts';
import { EMAIL_TAKEN, LAST_ADMIN, PASSWORDS_BUSY, WRONG_PASSWORD } from './errors.ts';
import { ChangeEmail, ChangePassword, DeleteAccount, UserView } from './schemas.ts';
import { toUserView } from './view.ts';

const CONFIRMED_DESCRIPTION = 'After ten wrong current passwords in an hour, further ones have to wait: 429.';
/** What whatever asks for the current password may run into. */
const CONFIRMED = [WRONG_PASSWORD, PASSWORDS_BUSY];

/** The routes of a user's own account. `limits` are those of whatever asks for the current password. */
export function createUserRoutes(account: AccountService, limits: RouteLimits): Route[] {
  return [
    route({
      method: 'get',
      path: '/users/me',
      summary: 'The signed-in user',
      authenticated: true,
      responses: { 200: { description: 'The user', schema: UserView } },
      handler(ctx) {
        // `authenticate` has just read the user with the session: asking again would be a second statement.
        const { userId: id, email, roles, createdAt } = getCurrentUserSession(ctx);
        ctx.respond.success(toUserView({ id, email, roles, createdAt }));
      },
    }),
    route({
      method: 'patch',
      path: '/users/me',
      summary: 'Change my address',
      description: CONFIRMED_DESCRIPTION,
      authenticated: true,
      limits,
      body: ChangeEmail,
      responses: { 200: { description: 'The user', schema: UserView } },
      errors: [EMAIL_TAKEN, ...CONFIRMED],
      async handler(ctx) {
        const { input, deviceInfo } = ctx.state;
        const user = await account.changeEmail(getCurrentUserSession(ctx), deviceInfo, input.body);
        ctx.respond.success(toUserView(user));
      },
    }),
    route({
      method: 'post',
      path: '/users/me/password',
      summary: 'Change my password, and end all my other sessions',
      description: CONFIRMED_DESCRIPTION,
      authenticated: true,
      limits,
      body: ChangePassword,
      responses: { 204: { description: 'It is changed' } },
      errors: CONFIRMED,
      async handler(ctx) {
        const { input, deviceInfo } = ctx.state;
        await account.changePassword(getCurrentUserSession(ctx), deviceInfo, input.body);
        ctx.respond.success(undefined, { status: 204 });
      },
    }),
    route({
      method: 'delete',
      path: '/users/me',
      summary: 'Delete my account',
      description: `All its sessions end. What is known of its activity is made anonymous. ${CONFIRMED_DESCRIPTION}`,
      authenticated: true,
      limits,
      body: DeleteAccount,
      responses: { 204: { description: 'It is gone' } },
      errors: [LAST_ADMIN, ...CONFIRMED],
      async handler(ctx) {
        const { input, deviceInfo } = ctx.state;
        await account.deleteAccount(getCurrentUserSession(ctx), deviceInfo, input.body);
        ctx.respond.success(undefined, { status: 204 });
      },
    }),
  ];
}
