import type { Domain } from '../domain.ts';
import { createUserStore } from '../users/index.ts';
import { createAuthRoutes } from './routes.ts';
import { createAuthService } from './service.ts';
import { createSessionStore } from './store.ts';

/** Accounts are made and signed in to; sessions. */
export const authDomain: Domain = {
  migrations: new URL('./migrations', import.meta.url),
  create({ settings, database, passwords, tokens, activity }) {
    const auth = createAuthService({
      users: createUserStore(database),
      sessions: createSessionStore(database),
      passwords,
      tokens,
      activity,
      accessTokenTtlSeconds: settings.accessTokenTtlSeconds,
      sessionTtlSeconds: settings.sessionTtlSeconds,
    });
    return { routes: createAuthRoutes(auth) };
  },
};
