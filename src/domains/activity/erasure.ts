import type { Queryable } from '../../db/postgres/database.ts';

const ERASE_ACTIVITY = { name: 'erase_activity', text: 'select erase_activity($1)' };

/** Has everything that is known of a user's activity made anonymous, as surely as `tx` commits; its last statement. */
export async function requestErasure(tx: Queryable, userId: string): Promise<void> {
  await tx.query(ERASE_ACTIVITY, [userId]);
}
