import type { Static } from 'typebox';
import type { UserView } from './schemas.ts';

/** A user as the API shows it. */
export function toUserView(user: {
  id: string;
  email: string;
  roles: readonly string[];
  createdAt: Date;
}): Static<typeof UserView> {
  return { id: user.id, email: user.email, roles: [...user.roles], created_at: user.createdAt.toISOString() };
}
