import type { Settings } from '../core/config/index.ts';
import { BaseDTO, type Route, route, Type } from '../core/index.ts';

const RootView = BaseDTO(
  {
    project: Type.String({ examples: ['Okapi'] }),
    status: Type.Literal('ok'),
    environment: Type.Enum(['development', 'test', 'staging', 'production']),
  },
  { title: 'RootView' },
);

/** `GET /`: what this is. */
export function createRootRoute(settings: Pick<Settings, 'projectName' | 'environment'>): Route {
  const data = { project: settings.projectName, status: 'ok', environment: settings.environment } as const;
  return route({
    method: 'get',
    path: '/',
    summary: 'What this is',
    responses: { 200: { description: 'Name, status and environment', schema: RootView } },
    handler: (ctx) => ctx.respond.success(data),
  });
}
