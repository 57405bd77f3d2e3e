import type { Principal, SessionDeviceInfo, SessionLookup, Static, TokenIdentity } from '../../core/index.ts';
import type { Queryable } from '../../db/postgres/database.ts';
import type { SessionView } from './schemas.ts';

export type NewSession = {
  id: string;
  userId: string;
  /** The hash that the password was right for: when it is another by now, so may be the password. */
  passwordHash: string;
  refreshToken: TokenIdentity;
  device: SessionDeviceInfo;
  expiresAt: Date;
};

/** A session as its user sees it. */
export type Session = {
  id: string;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
  /** What `SessionDeviceInfo` became as JSON. */
  device: Static<typeof SessionView>['device'];
};

/** What is known of the refresh tokens of a session. `jti` is `null` in one that began before they were rotated. */
export type RefreshState = {
  userId: string;
  roles: string[];
  jti: string | null;
  issuedAt: Date | null;
  previousJti: string | null;
  /** Since the token before became the one of now; by the clock of the database, which all replicas share. */
  secondsSinceRotation: number | null;
};

/** What is asked of the table `sessions`. An active session is one that is neither ended nor over. */
export type SessionStore = SessionLookup & {
  /**
   * Records `event` (`eventOf`) with it. `false` when the account has another password by now, is disabled or gone: then
   * nothing is inserted.
   */
  insertSession(session: NewSession, event: string): Promise<boolean>;
  /** Keeps an active session from being refreshed by anyone else until the transaction ends. */
  lockForRefresh(sessionId: string, userId: string): Promise<RefreshState | undefined>;
  /** Records `event` with it. */
  rotateRefreshToken(sessionId: string, next: TokenIdentity, event: string): Promise<void>;
  /** Active ones, those seen last first. */
  findSessionsOfUser(userId: string, limit: number): Promise<Session[]>;
  /** Where the active sessions of the account with this address began, each once. */
  findAddressesOfSessions(email: string): Promise<string[]>;
  /** Records `event` with it. `false` when it is no active session of this user. */
  endSession(sessionId: string, userId: string, event: string): Promise<boolean>;
  /** Ends all sessions of a user but one; resolves to how many there were. */
  endSessionsOfUser(userId: string, exceptSessionId?: string): Promise<number>;
  /** Moves `last_seen_at` forward, by session; milliseconds since the epoch. */
  markSeen(seenAt: ReadonlyMap<string, number>): Promise<void>;
  /** Removes sessions that ended so many days ago, a thousand at most. Resolves to whether there may be more. */
  removeEnded(daysAgo: number): Promise<boolean>;
  /** The same questions, asked in a transaction. */
  within(tx: Queryable): SessionStore;
};

// The lock makes a change of the password under way be waited for, so that no session outlives it.
const INSERT_SESSION = {
  name: 'insert_session',
  text: `insert into sessions (id, user_id, refresh_jti, refresh_issued_at, device, expires_at)
    select $1::uuid, id, $4::uuid, $5::timestamptz, $6::jsonb, $7::timestamptz from users where id = $2 and password_hash = $3 and disabled_at is null for share
    returning id, record_activity($8)`,
};
const FIND_ACTIVE_SESSION = {
  name: 'find_active_session',
  text: `select s.id as "sessionId", u.id as "userId", u.roles, u.email, u.created_at as "createdAt"
    from sessions s join users u on u.id = s.user_id
    where s.id = $1 and s.user_id = $2 and s.revoked_at is null and s.expires_at > now() and u.disabled_at is null`,
};
const LOCK_FOR_REFRESH = {
  name: 'lock_session_for_refresh',
  text: `select u.id as "userId", u.roles, s.refresh_jti as jti, s.refresh_issued_at as "issuedAt",
      s.previous_refresh_jti as "previousJti",
      extract(epoch from clock_timestamp() - s.rotated_at)::float8 as "secondsSinceRotation"
    from sessions s join users u on u.id = s.user_id
    where s.id = $1 and s.user_id = $2 and s.revoked_at is null and s.expires_at > now() and u.disabled_at is null
    for update of s`,
};
const ROTATE_REFRESH_TOKEN = {
  name: 'rotate_refresh_token',
  text: `update sessions set previous_refresh_jti = refresh_jti, refresh_jti = $2, refresh_issued_at = $3,
    rotated_at = clock_timestamp(), last_seen_at = clock_timestamp() where id = $1 returning record_activity($4)`,
};
const FIND_SESSIONS_OF_USER = {
  name: 'find_sessions_of_user',
  text: `select id, created_at as "createdAt", last_seen_at as "lastSeenAt", expires_at as "expiresAt", device
    from sessions where user_id = $1 and revoked_at is null and expires_at > now()
    order by last_seen_at desc, id limit $2`,
};
const FIND_ADDRESSES_OF_SESSIONS = {
  name: 'find_addresses_of_sessions',
  text: `select distinct s.device->>'ip_address' as address from sessions s join users u on u.id = s.user_id
    where u.email = $1 and s.revoked_at is null and s.expires_at > now() and u.disabled_at is null
      and s.device->>'ip_address' is not null`,
};
const END_SESSION = {
  name: 'end_session',
  text: `update sessions set revoked_at = now()
    where id = $1 and user_id = $2 and revoked_at is null and expires_at > now() returning id, record_activity($3)`,
};
const END_SESSIONS_OF_USER = {
  name: 'end_sessions_of_user',
  text: `update sessions set revoked_at = now()
    where user_id = $1 and id is distinct from $2 and revoked_at is null and expires_at > now() returning id`,
};
// A row that is locked is being refreshed, which writes the time itself.
const MARK_SEEN = {
  name: 'mark_sessions_seen',
  text: `with seen as (select * from unnest($1::uuid[], $2::timestamptz[]) as seen (id, at)),
      free as (select id from sessions where id = any ($1) order by id for no key update skip locked)
    update sessions s set last_seen_at = greatest(s.last_seen_at, seen.at)
    from seen join free using (id) where s.id = seen.id`,
};

const MAX_REMOVED = 1000;
const REMOVE_ENDED = {
  name: 'remove_ended_sessions',
  text: `delete from sessions where id in (
    select id from sessions where least(expires_at, revoked_at) < now() - $1::int * interval '1 day'
    limit ${MAX_REMOVED} for update skip locked) returning id`,
};

export function createSessionStore(db: Queryable): SessionStore {
  return {
    async insertSession({ id, userId, passwordHash, refreshToken, device, expiresAt }, event) {
      const { jti, issuedAt } = refreshToken;
      const begunOn = JSON.stringify(device);
      const values = [id, userId, passwordHash, jti, new Date(issuedAt * 1000), begunOn, expiresAt, event];
      return (await db.query(INSERT_SESSION, values)).length === 1;
    },
    async findActiveSession(sessionId, userId) {
      const [principal] = await db.query<Principal>(FIND_ACTIVE_SESSION, [sessionId, userId]);
      return principal;
    },
    async lockForRefresh(sessionId, userId) {
      const [state] = await db.query<RefreshState>(LOCK_FOR_REFRESH, [sessionId, userId]);
      return state;
    },
    async rotateRefreshToken(sessionId, { jti, issuedAt }, event) {
      await db.query(ROTATE_REFRESH_TOKEN, [sessionId, jti, new Date(issuedAt * 1000), event]);
    },
    findSessionsOfUser: (userId, limit) => db.query<Session>(FIND_SESSIONS_OF_USER, [userId, limit]),
    async findAddressesOfSessions(email) {
      const rows = await db.query<{ address: string }>(FIND_ADDRESSES_OF_SESSIONS, [email]);
      return rows.map(({ address }) => address);
    },
    async endSession(sessionId, userId, event) {
      return (await db.query(END_SESSION, [sessionId, userId, event])).length === 1;
    },
    async endSessionsOfUser(userId, exceptSessionId) {
      return (await db.query(END_SESSIONS_OF_USER, [userId, exceptSessionId ?? null])).length;
    },
    async markSeen(seenAt) {
      await db.query(MARK_SEEN, [[...seenAt.keys()], [...seenAt.values()].map((at) => new Date(at))]);
    },
    async removeEnded(daysAgo) {
      return (await db.query(REMOVE_ENDED, [daysAgo])).length === MAX_REMOVED;
    },
    within: createSessionStore,
  };
}
