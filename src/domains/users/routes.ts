import { getCurrentUserSession, type Route, route } from '../../core/index.ts';
import { UserView } from './schemas.ts';
import { toUserView } from './view.ts';

/** The routes of a user's own account. */
export function createUserRoutes(): Route[] {
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
  ];
}
