import { randomUUID } from 'node:crypto';
import { type PasswordSecurity, ValidationError } from '../../core/index.ts';
import type { Database } from '../../db/postgres/database.ts';
import { eventOf, recordActivity } from '../activity/index.ts';
import { emailProblem, normalizeEmail } from './email.ts';
import { createUserStore } from './store.ts';

export type MakeAdminOptions = {
  database: Database;
  passwords: PasswordSecurity;
  email: string;
  /** Asked for only when there is no account with this address. */
  askPassword(): Promise<string>;
};

/**
 * Makes an account an administrator, and makes the account where there is none: how the first administrator comes to
 * be, since only administrators make others. Throws 422 on an address or password that cannot be taken.
 */
export async function makeAdmin(options: MakeAdminOptions): Promise<'created' | 'granted' | 'already'> {
  const { database, passwords, email, askPassword } = options;
  const address = normalizeEmail(email);
  if (address === undefined) throw new ValidationError([emailProblem('email')]);
  const found = await createUserStore(database).findUserByEmail(address);
  if (found === undefined) {
    const password = await askPassword();
    const problems = passwords.findPasswordProblems(password, 'password', address);
    if (problems.length > 0) throw new ValidationError(problems);
    const passwordHash = await passwords.generatePasswordHash(password);
    const user = { id: randomUUID(), email: address, roles: ['user', 'admin'], createdAt: new Date(), passwordHash };
    const event = eventOf({ type: 'auth.registered', userId: user.id, device: null });
    if (await createUserStore(database).insertUser(user, event)) return 'created';
    // Somebody registered meanwhile, so their account is the one.
    return makeAdmin(options);
  }
  return database.transaction(async (tx) => {
    const users = createUserStore(tx);
    const { roles = [] } = (await users.lockForRemoval(found.id)) ?? {};
    if (roles.includes('admin')) return 'already';
    await users.setRoles(found.id, [...roles, 'admin']);
    await recordActivity(tx, { type: 'user.roles_changed', userId: found.id, device: null });
    return 'granted';
  });
}
