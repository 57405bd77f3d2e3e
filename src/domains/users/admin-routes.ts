import {
  getCurrentUserSession,
  IdParams,
  PageQuery,
  type Route,
  route,
  ServiceUnavailableError,
  Type,
} from '../../core/index.ts';
import { ActivityView, toActivityView } from '../activity/index.ts';
import type { AdminService } from './admin-service.ts';
import { LAST_ADMIN, NO_SUCH_USER, OWN_ROLES } from './errors.ts';
import { AdminUserView, ChangeRoles, ChangeUser } from './schemas.ts';
import { toAdminUserView } from './view.ts';

const ROLES = ['admin'];

/** The routes through which administrators see and change the accounts of others. */
export function createAdminRoutes(admin: AdminService): Route[] {
  return [
    route({
      method: 'get',
      path: '/users',
      summary: 'All users, newest first',
      roles: ROLES,
      query: PageQuery,
      responses: { 200: { description: 'A page of users', schema: Type.Array(AdminUserView), isPage: true } },
      async handler(ctx) {
        const { limit, cursor } = ctx.state.input.query;
        const { users, page } = await admin.listUsers(limit, cursor);
        ctx.respond.success(users.map(toAdminUserView), { metaExtensions: { page } });
      },
    }),
    route({
      method: 'get',
      path: '/users/:id',
      summary: 'A user',
      roles: ROLES,
      params: IdParams,
      responses: { 200: { description: 'The user', schema: AdminUserView } },
      errors: [NO_SUCH_USER],
      async handler(ctx) {
        ctx.respond.success(toAdminUserView(await admin.getUser(ctx.state.input.params.id)));
      },
    }),
    route({
      method: 'patch',
      path: '/users/:id',
      summary: 'Disable or enable a user',
      description: 'Who is disabled is signed out everywhere and cannot sign in.',
      roles: ROLES,
      params: IdParams,
      body: ChangeUser,
      responses: { 200: { description: 'The user', schema: AdminUserView } },
      errors: [NO_SUCH_USER, LAST_ADMIN],
      async handler(ctx) {
        const { params, body } = ctx.state.input;
        ctx.respond.success(toAdminUserView(await admin.changeUser(getCurrentUserSession(ctx), params.id, body)));
      },
    }),
    route({
      method: 'patch',
      path: '/users/:id/roles',
      summary: 'Change the roles of a user',
      description: 'They are in effect from the next request on.',
      roles: ROLES,
      params: IdParams,
      body: ChangeRoles,
      responses: { 200: { description: 'The user', schema: AdminUserView } },
      errors: [NO_SUCH_USER, LAST_ADMIN, OWN_ROLES],
      async handler(ctx) {
        const { params, body } = ctx.state.input;
        ctx.respond.success(toAdminUserView(await admin.changeRoles(getCurrentUserSession(ctx), params.id, body)));
      },
    }),
    route({
      method: 'delete',
      path: '/users/:id/sessions',
      summary: 'Sign a user out everywhere',
      roles: ROLES,
      params: IdParams,
      responses: { 204: { description: 'All sessions of the user have ended' } },
      errors: [NO_SUCH_USER],
      async handler(ctx) {
        await admin.endSessions(getCurrentUserSession(ctx), ctx.state.input.params.id);
        ctx.respond.success(undefined, { status: 204 });
      },
    }),
    route({
      method: 'get',
      path: '/users/:id/activity',
      summary: 'What happened to the account of a user, newest first',
      roles: ROLES,
      params: IdParams,
      query: PageQuery,
      responses: { 200: { description: 'A page of events', schema: Type.Array(ActivityView), isPage: true } },
      errors: [
        NO_SUCH_USER,
        { type: ServiceUnavailableError, code: 'mongo.unavailable', description: 'The activity cannot be read' },
      ],
      async handler(ctx) {
        const { params, query } = ctx.state.input;
        const { events, page } = await admin.listActivity(params.id, query.limit, query.cursor);
        ctx.respond.success(events.map(toActivityView), { metaExtensions: { page } });
      },
    }),
  ];
}
