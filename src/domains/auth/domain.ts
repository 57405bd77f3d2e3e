import type { Domain } from '../domain.ts';
import { createUserStore } from '../users/index.ts';
import { createAuthLimits } from './limits.ts';
import { createRetentionTask } from './retention.ts';
import { createAuthRoutes } from './routes.ts';
import { createAuthService } from './service.ts';
import { createSessionRoutes } from './session-routes.ts';
import { createSessionService } from './session-service.ts';

/** Accounts are made and signed in to; sessions. */
export const authDomain: Domain = {
  migrations: new URL('./migrations', import.meta.url),
  create({ settings, database, sessions, passwords, tokens, activity }) {
    const { accessTokenTtlSeconds, sessionTtlSeconds } = settings;
    const users = createUserStore(database);
    const limits = createAuthLimits({ settings, users, sessions, activity });
    const common = { sessions, tokens, activity, accessTokenTtlSeconds };
    const auth = createAuthService({
      ...common,
      users,
      passwords,
      sessionTtlSeconds,
      revealsTaken: settings.registerRevealsTaken,
    });
    return {
      routes: [
        ...createAuthRoutes(auth, limits),
        ...createSessionRoutes(createSessionService({ ...common, database })),
      ],
      tasks: [createRetentionTask(sessions, settings.sessionRetentionDays)],
    };
  },
};
