import type { Principal, SessionDeviceInfo, SessionLookup } from '../../core/index.ts';
import type { Queryable } from '../../db/postgres/database.ts';

export type NewSession = {
  id: string;
  userId: string;
  refreshTokenHash: string;
  device: SessionDeviceInfo;
  expiresAt: Date;
};

/** What is asked of the table `sessions`. */
export type SessionStore = SessionLookup & { insertSession(session: NewSession): Promise<void> };

const INSERT_SESSION = {
  name: 'insert_session',
  text: `insert into sessions (id, user_id, refresh_token_hash, device, expires_at) values ($1, $2, $3, $4, $5)`,
};
const FIND_ACTIVE_SESSION = {
  name: 'find_active_session',
  text: `select s.id as "sessionId", u.id as "userId", u.roles, u.email, u.created_at as "createdAt"
    from sessions s join users u on u.id = s.user_id
    where s.id = $1 and s.user_id = $2 and s.revoked_at is null and s.expires_at > now()`,
};

export function createSessionStore(db: Queryable): SessionStore {
  return {
    async insertSession({ id, userId, refreshTokenHash, device, expiresAt }) {
      await db.query(INSERT_SESSION, [id, userId, refreshTokenHash, JSON.stringify(device), expiresAt]);
    },
    async findActiveSession(sessionId, userId) {
      const [principal] = await db.query<Principal>(FIND_ACTIVE_SESSION, [sessionId, userId]);
      return principal;
    },
  };
}
