import {
  getCurrentUserSession,
  PageQuery,
  type Route,
  route,
  ServiceUnavailableError,
  Type,
} from '../../core/index.ts';
import { ActivityView } from './schemas.ts';
import type { ActivityService } from './service.ts';
import { toActivityView } from './view.ts';

/** The route through which users see what was done with their account. */
export function createActivityRoutes(activity: ActivityService): Route[] {
  return [
    route({
      method: 'get',
      path: '/activity',
      summary: 'What happened to my account, newest first',
      authenticated: true,
      query: PageQuery,
      responses: { 200: { description: 'A page of events', schema: Type.Array(ActivityView), isPage: true } },
      errors: [
        { type: ServiceUnavailableError, code: 'mongo.unavailable', description: 'The activity cannot be read' },
      ],
      async handler(ctx) {
        const { limit, cursor } = ctx.state.input.query;
        const { events, page } = await activity.listMine(getCurrentUserSession(ctx).userId, limit, cursor);
        ctx.respond.success(events.map(toActivityView), { metaExtensions: { page } });
      },
    }),
  ];
}
