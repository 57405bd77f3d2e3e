import type { Static } from '../../core/index.ts';
import type { AdminUserView, UserView } from './schemas.ts';

type Shown = { id: string; email: string; roles: readonly string[]; createdAt: Date };

/** A user as the API shows it. */
export function toUserView(user: Shown): Static<typeof UserView> {
  return { id: user.id, email: user.email, roles: [...user.roles], created_at: user.createdAt.toISOString() };
}

/** A user as administrators see it. */
export function toAdminUserView(user: Shown & { isDisabled: boolean }): Static<typeof AdminUserView> {
  return { ...toUserView(user), disabled: user.isDisabled };
}
