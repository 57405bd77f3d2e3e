import type { Settings } from '../core/config/index.ts';
import { type Route, route } from '../core/index.ts';

/** `GET /`: what this is. */
export function createRootRoute(settings: Pick<Settings, 'projectName' | 'environment'>): Route {
  const data = { project: settings.projectName, status: 'ok', environment: settings.environment };
  return route({
    method: 'get',
    path: '/',
    summary: 'What this is',
    responses: { 200: { description: 'Name, status and environment' } },
    handler: (ctx) => ctx.respond.success(data),
  });
}
