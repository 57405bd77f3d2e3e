export { createAuthRoutes } from './routes.ts';
export { createAuthService } from './service.ts';
export { createSessionStore } from './store.ts';
