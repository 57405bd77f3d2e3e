import { randomUUID } from 'node:crypto';
import { trace } from '@opentelemetry/api';
import { getLogger, requestIdCtx, type SessionDeviceInfo } from '../../core/index.ts';
import type { ActivityStore } from './store.ts';

export type ActivityType = 'auth.registered' | 'auth.signed_in' | 'auth.refused';

/** What happened. `userId` is `null` where it is nobody's account. */
export type Activity = { type: ActivityType; userId: string | null; device: SessionDeviceInfo };

/** Takes note of what users did. The caller does not wait, and does not fail when it cannot be written. */
export type ActivityRecorder = {
  record(activity: Activity): void;
  /** Resolves once everything recorded so far is written or has failed. */
  drain(): Promise<void>;
};

const MAX_PENDING = 1000;

/** Records into the store, with the ids of the request that it happens in. Failures are logged. */
export function createActivityRecorder(store: ActivityStore): ActivityRecorder {
  const logger = getLogger('app.activity.recorder');
  const pending = new Set<Promise<void>>();
  return {
    record({ type, userId, device }) {
      if (pending.size >= MAX_PENDING) {
        logger.error('An activity was not recorded: too many are waiting', { type });
        return;
      }
      const { ip_address, ...rest } = device;
      const written = store
        .insertEvent({
          _id: randomUUID(),
          user_id: userId,
          type,
          at: new Date(),
          request_id: requestIdCtx.get() ?? null,
          trace_id: trace.getActiveSpan()?.spanContext().traceId ?? null,
          ip_address,
          device: rest,
        })
        .catch((error: unknown) => logger.exception('An activity was not recorded', error, { type }))
        .finally(() => pending.delete(written));
      pending.add(written);
    },
    async drain() {
      await Promise.all(pending);
    },
  };
}
