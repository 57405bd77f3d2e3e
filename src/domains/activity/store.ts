import { type AnyBulkWriteOperation, type Collection, type Db, MongoServerError } from 'mongodb';
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
  /** How many refusals it stands for, where they were counted by address and minute. */
  count?: number;
};

/** One step of what the collection has to become. */
export type Change = { insert: ActivityEvent } | { anonymize: string };

/** The place in a list after which a page begins. */
export type Place = { at: Date; id: string };

export type ActivityStore = {
  /** Makes the changes in this order. Events that are there already stay as they are; so all of it can be repeated. */
  apply(changes: readonly Change[]): Promise<void>;
  /** Newest first. */
  findEventsOfUser(userId: string, limit: number, after?: Place): Promise<ActivityEvent[]>;
  /** `retentionSeconds` is how long events are kept; where another time was set before, this one is from now on. */
  createIndexes(retentionSeconds: number): Promise<void>;
};

/** The ids of request and trace lead to log lines that name the user. */
const ANONYMOUS = { user_id: null, ip_address: null, device: {}, request_id: null, trace_id: null } as const;

/** MongoDB's own: there is an index with these keys and other options. */
const INDEX_OPTIONS_CONFLICT = 85;
const APPLY_WITHIN_MS = 3_000;

export const ACTIVITY_COLLECTION = 'activity_events';

export function createActivityStore(db: Db): ActivityStore {
  const events: Collection<ActivityEvent> = db.collection(ACTIVITY_COLLECTION);
  return {
    async apply(changes) {
      await events.bulkWrite(changes.map(toOperation), { ordered: true, timeoutMS: APPLY_WITHIN_MS });
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
    async createIndexes(retentionSeconds) {
      await events.createIndex({ user_id: 1, at: -1, _id: -1 });
      const expireAfterSeconds = retentionSeconds;
      try {
        await events.createIndex({ at: 1 }, { expireAfterSeconds });
      } catch (error) {
        if (!(error instanceof MongoServerError && error.code === INDEX_OPTIONS_CONFLICT)) throw error;
        await db.command({ collMod: ACTIVITY_COLLECTION, index: { keyPattern: { at: 1 }, expireAfterSeconds } });
      }
    },
  };
}

function toOperation(change: Change): AnyBulkWriteOperation<ActivityEvent> {
  if ('anonymize' in change) {
    return { updateMany: { filter: { user_id: change.anonymize }, update: { $set: ANONYMOUS } } };
  }
  const { _id, ...event } = change.insert;
  return { updateOne: { filter: { _id }, update: { $setOnInsert: event }, upsert: true } };
}
