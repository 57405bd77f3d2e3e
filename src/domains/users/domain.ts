import { createActivityService, createActivityStore } from '../activity/index.ts';
import type { Domain } from '../domain.ts';
import { createAccountService } from './account-service.ts';
import { createAdminRoutes } from './admin-routes.ts';
import { createAdminService } from './admin-service.ts';
import { createConfirmLimits } from './limits.ts';
import { createUserRoutes } from './routes.ts';
import { createUserStore } from './store.ts';

/** People's own accounts, and what administrators do with those of others. */
export const usersDomain: Domain = {
  migrations: new URL('./migrations', import.meta.url),
  create({ database, mongo, sessions, accountMails, passwords, activity, cursors }) {
    const common = { database, users: createUserStore(database), sessions, activity };
    const events = createActivityService(createActivityStore(mongo.db), cursors);
    return {
      // `/users/me` before `/users/:id`, since the router takes the first that fits.
      routes: [
        ...createUserRoutes(
          createAccountService({ ...common, accountMails, passwords }),
          createConfirmLimits(activity),
        ),
        ...createAdminRoutes(createAdminService({ ...common, events, cursors })),
      ],
    };
  },
};
