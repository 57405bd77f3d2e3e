import { matchOf } from '../../core/http/route-match.ts';
import type { MountedRoute } from '../../core/http/router.ts';
import {
  BaseDTO,
  IdParams,
  NotFoundError,
  type Route,
  route,
  type Static,
  Type,
  ValidationError,
} from '../../core/index.ts';
import type { SamplingBoosts } from '../../core/telemetry/sampling-boosts.ts';
import { assertRoom, COMMON, ExpiresAt, Seconds, TOO_MANY } from './common.ts';
import type { Uses } from './uses.ts';

const RouteBoost = BaseDTO(
  {
    route: Type.String({ maxLength: 300, description: 'A template, as in `http.route`', examples: ['/api/users/:id'] }),
    seconds: Seconds,
  },
  { title: 'RouteBoost' },
);

const UserBoost = BaseDTO({ user_id: IdParams.properties.id, seconds: Seconds }, { title: 'UserBoost' });

const SamplingBoostView = BaseDTO(
  {
    id: Type.String({ format: 'uuid' }),
    route: Type.Union([Type.String(), Type.Null()]),
    user_id: Type.Union([Type.String(), Type.Null()]),
    expires_at: ExpiresAt,
  },
  { title: 'SamplingBoostView' },
);

const SamplingBoostList = Type.Array(SamplingBoostView);
const CHANGED = 'operations.sampling_changed';

/** What is traced for a while, whatever the ratio of the sampler; `mounted` is asked which routes there are. */
export function createSamplingRoutes(boosts: SamplingBoosts, mounted: () => MountedRoute[], uses: Uses): Route[] {
  const list = (): Static<typeof SamplingBoostList> =>
    boosts.list().map(({ key, value, expiresAt }) => ({
      id: key,
      route: 'route' in value ? value.route : null,
      user_id: 'userId' in value ? value.userId : null,
      expires_at: expiresAt.toISOString(),
    }));
  const all = { 200: { description: 'All that are set in this process', schema: SamplingBoostList } };
  return [
    route({
      ...COMMON,
      method: 'get',
      path: '/operations/sampling-boosts',
      summary: 'What is sampled for a while',
      responses: all,
      async handler(ctx) {
        await uses.note(ctx, 'operations.switches_viewed', 'The sampling boosts were looked at');
        ctx.respond.success(list(), uses.here);
      },
    }),
    route({
      ...COMMON,
      method: 'post',
      path: '/operations/sampling-boosts/routes',
      summary: 'Sample all requests of a route for a while',
      description:
        'Where their trace begins here: one that is continued (`TRACE_CONTEXT`) stays as its caller decided.',
      body: RouteBoost,
      responses: all,
      errors: [TOO_MANY],
      async handler(ctx) {
        const { route: template, seconds } = ctx.state.input.body;
        const boost = { route: template, matches: matchOf(assertTraced(template, mounted()), mounted()) };
        assertRoom(boosts.hasRoomFor(boost), uses);
        await uses.note(ctx, CHANGED, 'A route is sampled', { target: template, seconds });
        assertRoom(boosts.set(boost, seconds), uses);
        ctx.respond.success(list(), uses.here);
      },
    }),
    route({
      ...COMMON,
      method: 'post',
      path: '/operations/sampling-boosts/users',
      summary: 'Sample all requests of a user for a while',
      description: 'From where the user is known on: the statement that finds the session is not in the trace.',
      body: UserBoost,
      responses: all,
      errors: [TOO_MANY],
      async handler(ctx) {
        const { user_id: userId, seconds } = ctx.state.input.body;
        assertRoom(boosts.hasRoomFor({ userId }), uses);
        await uses.note(ctx, CHANGED, 'A user is sampled', { user_id: userId, seconds });
        assertRoom(boosts.set({ userId }, seconds), uses);
        ctx.respond.success(list(), uses.here);
      },
    }),
    route({
      ...COMMON,
      method: 'delete',
      path: '/operations/sampling-boosts/:id',
      summary: 'End a sampling boost',
      params: IdParams,
      responses: all,
      errors: [{ type: NotFoundError, description: 'There is no such boost in this process' }],
      async handler(ctx) {
        const { id } = ctx.state.input.params;
        if (boosts.get(id) === undefined) throw new NotFoundError('There is no such boost in this process', uses.here);
        await uses.note(ctx, CHANGED, 'A sampling boost is ended', { target: id });
        boosts.remove(id);
        ctx.respond.success(list(), uses.here);
      },
    }),
  ];
}

/** Throws 422, with the templates that are allowed. */
function assertTraced(template: string, mounted: readonly MountedRoute[]): string {
  const traced = [...new Set(mounted.filter(({ route }) => !route.quiet).map((each) => each.template))];
  if (traced.includes(template)) return template;
  const message = 'is the template of no route that is traced';
  throw new ValidationError([{ field: '/body/route', message, rule: 'enum', allowed: traced.sort() }]);
}
