import { type Cursors, getLogger, type Page, type Principal, requireDto } from '../../core/index.ts';
import type { Database, Queryable } from '../../db/postgres/database.ts';
import type { ActivityPage, ActivityRecorder, ActivityService } from '../activity/index.ts';
import type { SessionStore } from '../auth/index.ts';
import { lastAdmin, noSuchUser, ownRoles } from './errors.ts';
import { ChangeRoles, ChangeUser } from './schemas.ts';
import type { Account, UserStore } from './store.ts';

/** A user as administrators see it. */
export type ManagedUser = Omit<Account, 'passwordHash'>;

/** What administrators do with the accounts of others. Each throws 404 when there is no such user. */
export type AdminService = {
  /** One page, newest first. Throws 422 on a foreign cursor. */
  listUsers(limit: number, cursor?: string): Promise<{ users: ManagedUser[]; page: Page }>;
  getUser(id: string): Promise<ManagedUser>;
  /** Who is disabled is signed out and cannot sign in. Throws 409 when it is the last administrator. */
  changeUser(admin: Principal, id: string, data: ChangeUser): Promise<ManagedUser>;
  /** Throws 403 on one's own, 409 when nobody else is an administrator. */
  changeRoles(admin: Principal, id: string, data: ChangeRoles): Promise<ManagedUser>;
  endSessions(admin: Principal, id: string): Promise<void>;
  /** As the user sees it. Throws 503 while Mongo is away. */
  listActivity(id: string, limit: number, cursor?: string): Promise<ActivityPage>;
};

export type AdminServiceOptions = {
  database: Pick<Database, 'transaction'>;
  users: UserStore;
  sessions: SessionStore;
  activity: ActivityRecorder;
  events: ActivityService;
  cursors: Cursors;
};

const SCOPE = 'users';

export function createAdminService(options: AdminServiceOptions): AdminService {
  const { database, users, sessions, activity, events, cursors } = options;
  const logger = getLogger('app.users.admin');

  async function getUser(id: string): Promise<ManagedUser> {
    const user = await users.findUserById(id);
    if (user === undefined) throw noSuchUser();
    return user;
  }

  /** The user, locked until the transaction ends; `isRemoval` when they are to be no administrator any more. */
  async function lockForRemoval(tx: Queryable, id: string, isRemoval: boolean): Promise<ManagedUser> {
    const user = await users.within(tx).lockForRemoval(id);
    if (user === undefined) throw noSuchUser();
    if (isRemoval && user.isLastAdmin) throw lastAdmin();
    return user;
  }

  return {
    async listUsers(limit, cursor) {
      const [createdAtMicros, lastId] = cursor === undefined ? [] : cursors.decode(SCOPE, cursor).map(String);
      const after = createdAtMicros && lastId ? { createdAtMicros, id: lastId } : undefined;
      const found = await users.findUsers(limit + 1, after);
      const { items, page } = cursors.pageOf(SCOPE, limit, found, (last) => [last.createdAtMicros, last.id]);
      return { users: items, page };
    },

    getUser,

    changeUser: requireDto(ChangeUser)(async function changeUser(admin, id, { disabled }) {
      const { user, isOther } = await database.transaction(async (tx) => {
        const user = await lockForRemoval(tx, id, disabled);
        const isOther = user.isDisabled !== disabled;
        await users.within(tx).setDisabled(id, disabled);
        if (disabled) await sessions.within(tx).endSessionsOfUser(id);
        const type = disabled ? 'user.disabled' : 'user.enabled';
        if (isOther) await activity.record(tx, { type, userId: id, device: null });
        return { user, isOther };
      });
      if (isOther) logger.info(disabled ? 'Disabled a user' : 'Enabled a user', { user_id: id, by: admin.userId });
      return { ...user, isDisabled: disabled };
    }),

    changeRoles: requireDto(ChangeRoles)(async function changeRoles(admin, id, { roles }) {
      if (id === admin.userId) throw ownRoles();
      const { user, isOther } = await database.transaction(async (tx) => {
        const user = await lockForRemoval(tx, id, !roles.includes('admin'));
        const isOther = new Set(user.roles).symmetricDifference(new Set(roles)).size > 0;
        await users.within(tx).setRoles(id, roles);
        if (isOther) await activity.record(tx, { type: 'user.roles_changed', userId: id, device: null });
        return { user, isOther };
      });
      if (isOther) logger.info('Changed the roles of a user', { user_id: id, by: admin.userId, roles });
      return { ...user, roles };
    }),

    async endSessions(admin, id) {
      await getUser(id);
      const ended = await database.transaction(async (tx) => {
        const count = await sessions.within(tx).endSessionsOfUser(id);
        if (count > 0) await activity.record(tx, { type: 'auth.session_revoked', userId: id, device: null });
        return count;
      });
      if (ended > 0) logger.info('Ended the sessions of a user', { user_id: id, by: admin.userId, ended });
    },

    async listActivity(id, limit, cursor) {
      await getUser(id);
      return events.listMine(id, limit, cursor);
    },
  };
}
