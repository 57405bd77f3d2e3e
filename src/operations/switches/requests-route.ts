import type { RunningRequest, RunningRequests } from '../../core/http/running-requests.ts';
import { BaseDTO, type Route, route, type Static, Type } from '../../core/index.ts';
import { redactText } from '../../core/logging/redaction.ts';
import { COMMON } from './common.ts';
import type { Uses } from './uses.ts';

const ID_LIMIT = 128;

const RequestsQuery = BaseDTO({ limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }) });

const ActiveRequestView = BaseDTO(
  {
    method: Type.String({ examples: ['GET'] }),
    route: Type.Union([Type.String({ examples: ['/api/users/:id'] }), Type.Null()], {
      description: 'The template; null until a route has taken it',
    }),
    age_ms: Type.Integer({ minimum: 0 }),
    request_id: Type.String(),
    user_id: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], { description: 'null until it is known' }),
  },
  { title: 'ActiveRequestView' },
);

/** The requests under way, as the deadline keeps them: nothing more is noted of a request for their sake. */
export function createRequestsRoute(running: RunningRequests, uses: Uses): Route {
  return route({
    ...COMMON,
    method: 'get',
    path: '/operations/requests',
    summary: 'Requests under way, oldest first',
    description: 'Of this process, with this one among them, without health and metrics. `meta.total` counts all.',
    query: RequestsQuery,
    responses: { 200: { description: 'The oldest of them', schema: Type.Array(ActiveRequestView) } },
    async handler(ctx) {
      await uses.note(ctx, 'operations.requests_viewed', 'The requests under way were looked at');
      const now = performance.now();
      const oldest = running.values().take(ctx.state.input.query.limit);
      const shown = [...oldest.map((request) => toView(request, now))];
      const { metaExtensions } = uses.here;
      ctx.respond.success(shown, { metaExtensions: { ...metaExtensions, total: running.size } });
    },
  });
}

function toView({ ctx }: RunningRequest, now: number): Static<typeof ActiveRequestView> {
  const { startedAt, method, route: taken, requestId, carrier } = ctx.state;
  return {
    method,
    route: taken?.template ?? null,
    age_ms: Math.max(0, Math.round(now - startedAt)),
    request_id: redactText(requestId, ID_LIMIT),
    user_id: carrier.userId ?? null,
  };
}
