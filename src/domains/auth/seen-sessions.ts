import { getLogger, type PeriodicTask, type Principal, type SessionLookup } from '../../core/index.ts';
import type { SessionStore } from './store.ts';

export type SeenSessions = {
  /** The look-up of `authenticate`, which takes note of every session that it finds. */
  lookup: SessionLookup;
  /** Writes what was noted. */
  task: PeriodicTask;
  /** Writes what was noted since; resolves also when that failed. */
  drain(): Promise<void>;
};

const MINUTE_MS = 60_000;
/** So many sessions a minute are noted; what comes beyond waits for its next request. */
const MAX_NOTED = 100_000;

/**
 * Keeps `last_seen_at` true to the minute without a statement a request: what was seen is noted here and written by a
 * background task. `clock` is in milliseconds since the epoch.
 */
export function createSeenSessions(sessions: SessionStore, clock: () => number = Date.now): SeenSessions {
  const logger = getLogger('app.auth.sessions');
  let seenAt = new Map<string, number>();

  async function write(): Promise<void> {
    if (seenAt.size === 0) return;
    const writing = seenAt;
    seenAt = new Map();
    try {
      await sessions.markSeen(writing);
    } catch (error) {
      // What has been seen since is newer.
      seenAt = new Map([...writing, ...seenAt]);
      throw error;
    }
  }

  function noted(principal: Principal | undefined): Principal | undefined {
    if (principal !== undefined && (seenAt.size < MAX_NOTED || seenAt.has(principal.sessionId))) {
      seenAt.set(principal.sessionId, clock());
    }
    return principal;
  }

  return {
    lookup: {
      findActiveSession: (sessionId, userId) => sessions.findActiveSession(sessionId, userId).then(noted),
    },
    task: { name: 'write_last_seen', intervalMs: MINUTE_MS, run: write },
    async drain() {
      await write().catch((error: unknown) => logger.exception('When sessions were seen last was not written', error));
    },
  };
}
