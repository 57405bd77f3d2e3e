import type { Queryable } from '../../db/postgres/database.ts';

export type User = { id: string; email: string; roles: string[]; createdAt: Date };
export type UserWithPassword = User & { passwordHash: string };
/** An account as it is known to who signs in and to administrators. */
export type Account = UserWithPassword & { isDisabled: boolean };

/** The place in the list of users after which a page begins: microseconds since the epoch, as text, and the id. */
export type UserPlace = { createdAtMicros: string; id: string };
export type ListedUser = Omit<Account, 'passwordHash'> & UserPlace;

/** What is asked of the table `users`. */
export type UserStore = {
  /** Records `event` (`eventOf`) with it. `false` when an account with this address exists already. */
  insertUser(user: UserWithPassword, event: string): Promise<boolean>;
  findUserByEmail(email: string): Promise<Account | undefined>;
  findUserById(id: string): Promise<Account | undefined>;
  /** Newest first. */
  findUsers(limit: number, after?: UserPlace): Promise<ListedUser[]>;
  /** `false` when the hash is another by now. */
  replacePasswordHash(id: string, oldHash: string, newHash: string): Promise<boolean>;
  /** Records `event` with it. `taken` when another account has the address; `gone` when this one is gone. */
  changeEmail(id: string, email: string, event: string): Promise<'changed' | 'taken' | 'gone'>;
  deleteUser(id: string): Promise<boolean>;
  /**
   * Resolves to the user, locked until the transaction ends, and whether nobody else is an administrator who is not
   * disabled. Whoever takes an administrator away asks this first: two of them wait for each other here.
   */
  lockForRemoval(id: string): Promise<(Account & { isLastAdmin: boolean }) | undefined>;
  setRoles(id: string, roles: readonly string[]): Promise<void>;
  setDisabled(id: string, isDisabled: boolean): Promise<void>;
  /** The same questions, asked in a transaction. */
  within(tx: Queryable): UserStore;
};

const ACCOUNT = `id, email, password_hash as "passwordHash", roles, created_at as "createdAt",
  disabled_at is not null as "isDisabled"`;

const INSERT_USER = {
  name: 'insert_user',
  text: `insert into users (id, email, password_hash, roles, created_at) values ($1, $2, $3, $4, $5)
    on conflict (email) do nothing returning id, record_activity($6)`,
};
const FIND_BY_EMAIL = { name: 'find_user_by_email', text: `select ${ACCOUNT} from users where email = $1` };
const FIND_BY_ID = { name: 'find_user_by_id', text: `select ${ACCOUNT} from users where id = $1` };
const LISTED = `select id, email, roles, created_at as "createdAt", disabled_at is not null as "isDisabled",
  (extract(epoch from created_at) * 1000000)::bigint::text as "createdAtMicros" from users`;
const FIND_USERS = { name: 'find_users', text: `${LISTED} order by created_at desc, id desc limit $1` };
const FIND_USERS_AFTER = {
  name: 'find_users_after',
  text: `${LISTED} where (created_at, id) < (timestamptz 'epoch' + $2::bigint * interval '1 microsecond', $3::uuid)
    order by created_at desc, id desc limit $1`,
};
const REPLACE_PASSWORD_HASH = {
  name: 'replace_password_hash',
  text: `update users set password_hash = $3 where id = $1 and password_hash = $2 returning id`,
};
const CHANGE_EMAIL = {
  name: 'change_email',
  text: `update users set email = $2, verified_at = null where id = $1 returning id, record_activity($3)`,
};
const DELETE_USER = { name: 'delete_user', text: `delete from users where id = $1 returning id` };
const LOCK_ADMINS = {
  name: 'lock_admins',
  text: `select id from users where 'admin' = any (roles) and disabled_at is null order by id for update`,
};
const LOCK_USER = { name: 'lock_user', text: `${FIND_BY_ID.text} for update` };
const SET_ROLES = { name: 'set_roles', text: `update users set roles = $2 where id = $1` };
const SET_DISABLED = {
  name: 'set_disabled',
  text: `update users set disabled_at = case when $2 then coalesce(disabled_at, now()) end where id = $1`,
};
const UNIQUE_VIOLATION = '23505';

export function createUserStore(db: Queryable): UserStore {
  return {
    async insertUser({ id, email, passwordHash, roles, createdAt }, event) {
      const rows = await db.query(INSERT_USER, [id, email, passwordHash, roles, createdAt, event]);
      return rows.length === 1;
    },
    async findUserByEmail(email) {
      const [user] = await db.query<Account>(FIND_BY_EMAIL, [email]);
      return user;
    },
    async findUserById(id) {
      const [user] = await db.query<Account>(FIND_BY_ID, [id]);
      return user;
    },
    findUsers: (limit, after) =>
      after === undefined
        ? db.query<ListedUser>(FIND_USERS, [limit])
        : db.query<ListedUser>(FIND_USERS_AFTER, [limit, after.createdAtMicros, after.id]),
    async replacePasswordHash(id, oldHash, newHash) {
      return (await db.query(REPLACE_PASSWORD_HASH, [id, oldHash, newHash])).length === 1;
    },
    async changeEmail(id, email, event) {
      try {
        return (await db.query(CHANGE_EMAIL, [id, email, event])).length === 1 ? 'changed' : 'gone';
      } catch (error) {
        if ((error as { code?: string }).code === UNIQUE_VIOLATION) return 'taken';
        throw error;
      }
    },
    async deleteUser(id) {
      return (await db.query(DELETE_USER, [id])).length === 1;
    },
    async lockForRemoval(id) {
      const admins = await db.query<{ id: string }>(LOCK_ADMINS);
      const [user] = await db.query<Account>(LOCK_USER, [id]);
      const isLastAdmin = admins.length === 1 && admins[0]?.id === id;
      return user && { ...user, isLastAdmin };
    },
    async setRoles(id, roles) {
      await db.query(SET_ROLES, [id, roles]);
    },
    async setDisabled(id, isDisabled) {
      await db.query(SET_DISABLED, [id, isDisabled]);
    },
    within: createUserStore,
  };
}
