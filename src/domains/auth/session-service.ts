import {
  getLogger,
  InvalidTokenError,
  type JwtService,
  NotFoundError,
  type Principal,
  requireDto,
  type SessionDeviceInfo,
  type TokenClaims,
  UnauthorizedError,
} from '../../core/index.ts';
import type { Database } from '../../db/postgres/database.ts';
import type { ActivityRecorder } from '../activity/index.ts';
import { judgeRefresh } from './refresh.ts';
import { LogoutRequest, RefreshRequest, type TokenPair } from './schemas.ts';
import type { Session, SessionStore } from './store.ts';
import { createTokenPair, newTokenIdentity } from './token-pair.ts';

export type SessionService = {
  /**
   * Rotates a refresh token (RFC 9700 §4.14.2). Throws 401 on one that is not good, and ends its session when it comes
   * back after it was used.
   */
  refresh(device: SessionDeviceInfo, data: RefreshRequest): Promise<TokenPair>;
  /** Ends the caller's session, and that of a refresh token of the same user. */
  logout(principal: Principal, device: SessionDeviceInfo, data: LogoutRequest): Promise<void>;
  /** The active sessions of a user, those seen last first, 200 at most. */
  listSessions(userId: string): Promise<Session[]>;
  /** Throws 404 when it is no active session of this user. */
  endSession(userId: string, device: SessionDeviceInfo, sessionId: string): Promise<void>;
  endOtherSessions(principal: Principal, device: SessionDeviceInfo): Promise<void>;
};

export type SessionServiceOptions = {
  database: Pick<Database, 'transaction'>;
  sessions: SessionStore;
  tokens: JwtService;
  activity: ActivityRecorder;
  accessTokenTtlSeconds: number;
  /** Milliseconds since the epoch. */
  clock?: () => number;
};

const MAX_LISTED = 200;

export function createSessionService(options: SessionServiceOptions): SessionService {
  const { database, sessions, tokens, activity, clock = Date.now } = options;
  const logger = getLogger('app.auth.sessions');

  /** Decides under the lock of the session, so that of many requests with one token the first alone rotates it. */
  function take({ sid, sub, jti }: TokenClaims, device: SessionDeviceInfo) {
    return database.transaction(async (tx) => {
      const store = sessions.within(tx);
      const state = await store.lockForRefresh(sid, sub);
      if (state === undefined || state.jti === null) return undefined;
      const turn = judgeRefresh(state, jti);
      if (turn.kind === 'repeat') return { ...turn, roles: state.roles };
      if (turn.kind === 'replay') {
        await store.endSession(sid, sub, activity.eventOf({ type: 'auth.refresh_replayed', userId: sub, device }));
        return turn;
      }
      const successor = newTokenIdentity(clock());
      const event = activity.eventOf({ type: 'auth.refreshed', userId: sub, device });
      await store.rotateRefreshToken(sid, successor, event);
      return { ...turn, successor, roles: state.roles };
    });
  }

  return {
    refresh: requireDto(RefreshRequest)(async function refresh(device, { refresh_token }) {
      const claims = await tokens.decodeRefreshToken(refresh_token).catch((error: unknown) => {
        throw error instanceof InvalidTokenError ? refused(error) : error;
      });
      const { sub: userId, sid: sessionId } = claims;
      const turn = await take(claims, device);
      if (turn === undefined) throw refused();
      if (turn.kind === 'replay') {
        logger.warning('A refresh token came back after its use: its session was ended', {
          user_id: userId,
          session_id: sessionId,
        });
        throw new UnauthorizedError('The refresh token was used before: its session was ended', {
          code: 'auth.refresh_replayed',
        });
      }
      return createTokenPair(options, { userId, roles: turn.roles, sessionId }, turn.successor);
    }),

    logout: requireDto(LogoutRequest)(async function logout({ userId, sessionId }, device, { refresh_token }) {
      const ids = [sessionId, await sessionOf(refresh_token, userId)].filter((id) => id !== undefined);
      const event = activity.eventOf({ type: 'auth.signed_out', userId, device });
      await Promise.all([...new Set(ids)].map((id) => sessions.endSession(id, userId, event)));
    }),

    listSessions: (userId) => sessions.findSessionsOfUser(userId, MAX_LISTED),

    async endSession(userId, device, sessionId) {
      const event = activity.eventOf({ type: 'auth.session_revoked', userId, device });
      if (!(await sessions.endSession(sessionId, userId, event))) throw new NotFoundError('There is no such session');
    },

    async endOtherSessions({ userId, sessionId }, device) {
      await database.transaction(async (tx) => {
        const ended = await sessions.within(tx).endSessionsOfUser(userId, sessionId);
        if (ended > 0) await activity.record(tx, { type: 'auth.session_revoked', userId, device });
      });
    },
  };

  /** What is no token of this user is none to end anything with; that it is none is no error (RFC 7009 §2.2). */
  async function sessionOf(refreshToken: string | undefined, userId: string): Promise<string | undefined> {
    if (refreshToken === undefined) return undefined;
    try {
      const { sid, sub } = await tokens.decodeRefreshToken(refreshToken);
      return sub === userId ? sid : undefined;
    } catch (error) {
      if (error instanceof InvalidTokenError) return undefined;
      throw error;
    }
  }
}

function refused(cause?: unknown): UnauthorizedError {
  return new UnauthorizedError('The refresh token is not valid, or its session has ended', {
    code: 'auth.refresh_invalid',
    cause,
  });
}
