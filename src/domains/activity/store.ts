import type { Collection, Db } from 'mongodb';
import type { ActivityType } from './schemas.ts';

/** One event as it is kept. `_id` is a UUID. */
export type ActivityEvent = {
  _id: string;
  user_id: string | null;
  type: ActivityType;
  at: Date;
  request_id: string | null;
  trace_id: string | null;
  /** `null` when somebody else than the user did it. */
  ip_address: string | null;
  device: Record<string, unknown>;
};

/** The place in a list after which a page begins. */
export type Place = { at: Date; id: string };

export type ActivityStore = {
  insertEvent(event: ActivityEvent): Promise<void>;
  /** Newest first. */
  findEventsOfUser(userId: string, limit: number, after?: Place): Promise<ActivityEvent[]>;
  /** Takes from the events of a user whatever leads to a person. */
  anonymizeUser(userId: string): Promise<void>;
  createIndexes(): Promise<void>;
};

/** The ids of request and trace lead to log lines that name the user. */
const ANONYMOUS = { user_id: null, ip_address: null, device: {}, request_id: null, trace_id: null } as const;

export const ACTIVITY_COLLECTION = 'activity_events';

export function createActivityStore(db: Db): ActivityStore {
  const events: Collection<ActivityEvent> = db.collection(ACTIVITY_COLLECTION);
  return {
    async insertEvent(event) {
      await events.insertOne(event);
    },
    findEventsOfUser(userId, limit, after) {
      const older =
        after === undefined ? {} : { $or: [{ at: { $lt: after.at } }, { at: after.at, _id: { $lt: after.id } }] };
      return events
        .find({ user_id: userId, ...older })
        .sort({ at: -1, _id: -1 })
        .limit(limit)
        .toArray();
    },
    async anonymizeUser(userId) {
      await events.updateMany({ user_id: userId }, { $set: ANONYMOUS });
    },
    async createIndexes() {
      await events.createIndex({ user_id: 1, at: -1, _id: -1 });
    },
  };
}
