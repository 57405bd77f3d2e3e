import type { PeriodicTask } from '../../core/index.ts';
import type { Queryable } from '../../db/postgres/database.ts';
import type { ActivityStore } from './store.ts';

const INTERVAL_MS = 2_000;

const REQUEST_ERASURE = {
  name: 'request_activity_erasure',
  text: 'insert into activity_erasures (user_id) values ($1) on conflict do nothing',
};
// Events that were on their way when the user was deleted come for a moment longer.
const FIND_ERASURES = {
  name: 'find_activity_erasures',
  text: `select user_id as "userId", requested_at < now() - interval '1 minute' as "isLast" from activity_erasures`,
};
const FORGET_ERASURES = {
  name: 'forget_activity_erasures',
  text: 'delete from activity_erasures where user_id = any ($1)',
};

/** Has everything that is known of a user's activity made anonymous, as surely as `tx` commits. */
export async function requestErasure(tx: Queryable, userId: string): Promise<void> {
  await tx.query(REQUEST_ERASURE, [userId]);
}

/** Makes the activity anonymous that was asked for, again and again for a minute; tried anew while Mongo is away. */
export function createErasureTask(db: Queryable, events: Pick<ActivityStore, 'anonymizeUser'>): PeriodicTask {
  return {
    name: 'erase_activity',
    intervalMs: INTERVAL_MS,
    async run() {
      const erasures = await db.query<{ userId: string; isLast: boolean }>(FIND_ERASURES);
      for (const { userId } of erasures) await events.anonymizeUser(userId);
      const done = erasures.filter(({ isLast }) => isLast).map(({ userId }) => userId);
      if (done.length > 0) await db.query(FORGET_ERASURES, [done]);
    },
  };
}
