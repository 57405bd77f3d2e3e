import { randomUUID } from 'node:crypto';
import { trace } from '@opentelemetry/api';
import { getLogger, requestIdCtx, type SessionDeviceInfo } from '../../core/index.ts';
import type { ActivityType } from './schemas.ts';
import type { ActivityStore } from './store.ts';

/**
 * What happened. `userId` is whose account it is about, `null` where it is nobody's. `device` is where it came from;
 * `null` when somebody else did it, since users may not see the addresses of administrators.
 */
export type Activity = { type: ActivityType; userId: string | null; device: SessionDeviceInfo | null };

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
      const { ip_address = null, ...rest } = device ?? {};
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
