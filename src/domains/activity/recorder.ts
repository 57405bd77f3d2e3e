import { randomUUID } from 'node:crypto';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { requestIdCtx, type SessionDeviceInfo } from '../../core/index.ts';
import type { Queryable } from '../../db/postgres/database.ts';
import type { Refusals } from './refusals.ts';
import type { ActivityType } from './schemas.ts';

/**
 * What happened to the account of a user. `device` is where it came from; `null` when somebody else did it, since users
 * may not see the addresses of administrators.
 */
export type Activity = { type: ActivityType; userId: string; device: SessionDeviceInfo | null };

/** Somebody who is not signed in was refused. `userId` is whose account they wanted, `null` where it is nobody's. */
export type Refusal = {
  type: Extract<ActivityType, 'auth.refused' | 'auth.limited'>;
  userId: string | null;
  device: SessionDeviceInfo;
};

/** Takes note of what users did: all of it ends up in Mongo, once and in order, as surely as it is committed here. */
export type ActivityRecorder = {
  /** Records it in the transaction that it tells of, as its last statement; on the pool, by itself. */
  record(db: Queryable, activity: Activity): Promise<void>;
  /**
   * What `record_activity()` takes: for a statement that makes a change and records it in one, such as
   * `update … returning record_activity($2)`.
   */
  eventOf(activity: Activity): string;
  /** Takes note of a refusal, which changes nothing and so has no transaction. The caller does not wait. */
  noteRefusal(refusal: Refusal): void;
};

const RECORD = { name: 'record_activity', text: 'select record_activity($1)' };

export function createActivityRecorder(refusals: Pick<Refusals, 'note'>): ActivityRecorder {
  return {
    record: recordActivity,
    eventOf,
    noteRefusal({ type, userId, device }) {
      // With an id, since it may have to be written again.
      const event = userId === null ? undefined : eventOf({ type, userId, device }, randomUUID());
      refusals.note(type, device.ip_address, event);
    },
  };
}

/** `record` of an `ActivityRecorder`, for who has none. */
export async function recordActivity(db: Queryable, activity: Activity): Promise<void> {
  await db.query(RECORD, [eventOf(activity)]);
}

/**
 * `eventOf` of an `ActivityRecorder`, for who has none. It has the ids of the request that it happens in. With an `id`,
 * a UUID, it is recorded once, however often it is written.
 */
export function eventOf({ type, userId, device }: Activity, id?: string): string {
  const { ip_address = null, ...rest } = device ?? {};
  const span = trace.getActiveSpan()?.spanContext();
  return JSON.stringify({
    id,
    type,
    user_id: userId,
    request_id: requestIdCtx.get() ?? null,
    trace_id: span?.traceId ?? null,
    ip_address,
    device: rest,
    traceparent:
      span && isSpanContextValid(span)
        ? `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`
        : null,
  });
}
