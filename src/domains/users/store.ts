import type { Queryable } from '../../db/postgres/database.ts';

export type User = { id: string; email: string; roles: string[]; createdAt: Date };
export type UserWithPassword = User & { passwordHash: string };

/** What is asked of the table `users`. */
export type UserStore = {
  /** `false` when an account with this address exists already. */
  insertUser(user: UserWithPassword): Promise<boolean>;
  findUserByEmail(email: string): Promise<UserWithPassword | undefined>;
};

const INSERT_USER = {
  name: 'insert_user',
  text: `insert into users (id, email, password_hash, roles, created_at) values ($1, $2, $3, $4, $5)
    on conflict (email) do nothing returning id`,
};
const FIND_BY_EMAIL = {
  name: 'find_user_by_email',
  text: `select id, email, password_hash as "passwordHash", roles, created_at as "createdAt" from users where email = $1`,
};

export function createUserStore(db: Queryable): UserStore {
  return {
    async insertUser({ id, email, passwordHash, roles, createdAt }) {
      const rows = await db.query(INSERT_USER, [id, email, passwordHash, roles, createdAt]);
      return rows.length === 1;
    },
    async findUserByEmail(email) {
      const [user] = await db.query<UserWithPassword>(FIND_BY_EMAIL, [email]);
      return user;
    },
  };
}
