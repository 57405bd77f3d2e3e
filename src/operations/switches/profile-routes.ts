import { isClientGone } from '../../core/http/client-gone.ts';
import {
  BaseDTO,
  ConflictError,
  type Route,
  type RouteContext,
  route,
  ServiceUnavailableError,
  Type,
} from '../../core/index.ts';
import { COMMON } from './common.ts';
import type { ProfileKind, Profiler, Profiling } from './profiler.ts';
import type { Uses } from './uses.ts';

const JSON_TYPE = 'application/json';
const MAX_SECONDS = 60;
/** For what comes before and after: recording the use, and writing the profile. */
const AROUND_MS = 30_000;

const ProfileRequest = BaseDTO(
  { seconds: Type.Integer({ minimum: 1, maximum: MAX_SECONDS, description: 'How long to look' }) },
  { title: 'ProfileRequest' },
);

/** Profiles of this process as files to download. */
export function createProfileRoutes(profiler: Profiler, uses: Uses): Route[] {
  /** Throws 409 while another is taken, 503 when the service is about to stop. */
  function claim(): Profiling {
    if (profiler.isStopped) throw new ServiceUnavailableError('The service is about to stop', uses.here);
    const profiling = profiler.claim();
    if (profiling !== undefined) return profiling;
    throw new ConflictError('A profile is being taken: wait for its end', {
      code: 'operations.profile_running',
      ...uses.here,
    });
  }

  async function download(ctx: RouteContext, kind: ProfileKind, seconds: number): Promise<void> {
    const { instance } = uses.here.metaExtensions.process;
    const profiling = claim();
    const gone = new AbortController();
    ctx.res.once('close', () => gone.abort());
    if (isClientGone(ctx)) gone.abort();
    try {
      await uses.note(ctx as RouteContext, 'operations.profile_taken', 'A profile is taken', { kind, seconds });
      ctx.body = await profiling.take(kind, seconds * 1000, gone.signal);
    } finally {
      profiling.end();
    }
    const time = new Date().toISOString().replace(/\.\d+|[-:]/g, '');
    ctx.set('Content-Type', 'application/json');
    ctx.set('Content-Disposition', `attachment; filename="okapi-${instance}-${time}.${kind}profile"`);
    ctx.set('Okapi-Instance', instance);
  }

  const profile = (kind: ProfileKind, summary: string, description: string) =>
    route({
      ...COMMON,
      method: 'post',
      path: `/operations/profiles/${kind}`,
      summary,
      description,
      timeoutMs: MAX_SECONDS * 1000 + AROUND_MS,
      body: ProfileRequest,
      responses: {
        200: { description: `A .${kind}profile; \`Okapi-Instance\` says of which process`, content: [JSON_TYPE] },
      },
      errors: [
        { type: ConflictError, code: 'operations.profile_running', description: 'Another profile is being taken' },
        { type: ServiceUnavailableError, description: 'The service is about to stop' },
      ],
      handler: (ctx) => download(ctx as RouteContext, kind, ctx.state.input.body.seconds),
    });
  return [
    profile(
      'cpu',
      'Where this process spends its time',
      'For the DevTools of Chrome and whatever reads `.cpuprofile`.',
    ),
    profile(
      'heap',
      'Who allocates what stays in the memory of this process',
      'By samples, of what was allocated meanwhile and is still there at the end.',
    ),
  ];
}
