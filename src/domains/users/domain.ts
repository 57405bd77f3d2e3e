import type { Domain } from '../domain.ts';
import { createUserRoutes } from './routes.ts';

/** A person's own account. */
export const usersDomain: Domain = {
  migrations: new URL('./migrations', import.meta.url),
  create: () => ({ routes: createUserRoutes() }),
};
