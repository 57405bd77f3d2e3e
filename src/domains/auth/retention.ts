import type { PeriodicTask } from '../../core/index.ts';
import type { SessionStore } from './store.ts';

const HOUR_MS = 3_600_000;

/** Removes the sessions that ended `retentionDays` ago, by signing out or by themselves. */
export function createRetentionTask(sessions: Pick<SessionStore, 'removeEnded'>, retentionDays: number): PeriodicTask {
  return {
    name: 'remove_ended_sessions',
    intervalMs: HOUR_MS,
    async run(signal) {
      let isMore = true;
      while (isMore && !signal.aborted) isMore = await sessions.removeEnded(retentionDays);
    },
  };
}
