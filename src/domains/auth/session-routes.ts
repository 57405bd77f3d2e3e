import {
  getCurrentUserSession,
  IdParams,
  NotFoundError,
  type Route,
  route,
  type Static,
  Type,
  UnauthorizedError,
} from '../../core/index.ts';
import { POSTGRES_AWAY } from './errors.ts';
import { LogoutRequest, RefreshRequest, SessionView, TokenPair } from './schemas.ts';
import type { SessionService } from './session-service.ts';
import type { Session } from './store.ts';

/** The routes through which a session goes on, is seen, and ends. */
export function createSessionRoutes(sessions: SessionService): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/refresh',
      summary: 'Exchange a refresh token for new tokens',
      description:
        'A refresh token works once. Sent again within 10 seconds, while its successor is unused, it gives the same ' +
        'successor; any other second use ends the session.',
      body: RefreshRequest,
      responses: { 200: { description: 'New tokens of the same session', schema: TokenPair } },
      errors: [
        {
          type: UnauthorizedError,
          code: 'auth.refresh_invalid',
          description: 'The refresh token is not valid, or its session has ended',
        },
        {
          type: UnauthorizedError,
          code: 'auth.refresh_replayed',
          description: 'The refresh token was used before: its session was ended',
        },
        POSTGRES_AWAY,
      ],
      async handler(ctx) {
        const { input, deviceInfo } = ctx.state;
        ctx.respond.success(await sessions.refresh(deviceInfo, input.body));
      },
    }),
    route({
      method: 'post',
      path: '/auth/logout',
      summary: 'End this session',
      description: 'With a refresh token of another session of the same user, that session ends as well.',
      authenticated: true,
      body: LogoutRequest,
      responses: { 204: { description: 'It has ended' } },
      async handler(ctx) {
        const { input, deviceInfo } = ctx.state;
        await sessions.logout(getCurrentUserSession(ctx), deviceInfo, input.body);
        ctx.respond.success(undefined, { status: 204 });
      },
    }),
    route({
      method: 'get',
      path: '/auth/sessions',
      summary: 'My sessions, those seen last first',
      description: 'At most 200 of them.',
      authenticated: true,
      responses: { 200: { description: 'The sessions that have not ended', schema: Type.Array(SessionView) } },
      async handler(ctx) {
        const { userId, sessionId } = getCurrentUserSession(ctx);
        const listed = await sessions.listSessions(userId);
        ctx.respond.success(listed.map((session) => toView(session, sessionId)));
      },
    }),
    route({
      method: 'delete',
      path: '/auth/sessions/:id',
      summary: 'End one of my sessions',
      authenticated: true,
      params: IdParams,
      responses: { 204: { description: 'It has ended' } },
      errors: [{ type: NotFoundError, description: 'None of my sessions has this id' }],
      async handler(ctx) {
        const { input, deviceInfo } = ctx.state;
        await sessions.endSession(getCurrentUserSession(ctx).userId, deviceInfo, input.params.id);
        ctx.respond.success(undefined, { status: 204 });
      },
    }),
    route({
      method: 'delete',
      path: '/auth/sessions',
      summary: 'End all my other sessions',
      authenticated: true,
      responses: { 204: { description: 'They have ended' } },
      async handler(ctx) {
        await sessions.endOtherSessions(getCurrentUserSession(ctx), ctx.state.deviceInfo);
        ctx.respond.success(undefined, { status: 204 });
      },
    }),
  ];
}

function toView(session: Session, currentId: string): Static<typeof SessionView> {
  return {
    id: session.id,
    current: session.id === currentId,
    created_at: session.createdAt.toISOString(),
    last_seen_at: session.lastSeenAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
    device: session.device,
  };
}
