import type { Domain } from '../domain.ts';
import { createUserStore } from '../users/index.ts';
import { createAuthRoutes } from './routes.ts';
import { createAuthService } from './service.ts';
import { createSessionRoutes } from './session-routes.ts';
import { createSessionService } from './session-service.ts';

/** Accounts are made and signed in to; sessions. */
export const authDomain: Domain = {
  migrations: new URL('./migrations', import.meta.url),
  create({ settings, database, sessions, passwords, tokens, activity }) {
    const { accessTokenTtlSeconds, sessionTtlSeconds } = settings;
    const common = { sessions, tokens, activity, accessTokenTtlSeconds };
    const auth = createAuthService({
      ...common,
      users: createUserStore(database),
      passwords,
      sessionTtlSeconds,
      revealsTaken: settings.registerRevealsTaken,
    });
    return {
      routes: [...createAuthRoutes(auth), ...createSessionRoutes(createSessionService({ ...common, database }))],
    };
  },
};
