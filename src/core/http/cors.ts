import koaCors from '@koa/cors';
import type { Settings } from '../config/index.ts';
import { getLogger } from '../logging/index.ts';
import type { Middleware, OkapiContext } from './state.ts';

/** What a page on another origin may read of an answer. */
export const EXPOSED_HEADERS = 'X-Request-ID, traceresponse, Retry-After, RateLimit, RateLimit-Policy';

type CorsSettings = Pick<
  Settings,
  'corsAllowOrigins' | 'corsAllowCredentials' | 'corsAllowMethods' | 'corsAllowHeaders'
>;

/**
 * CORS by the Fetch standard, from settings. An origin is only ever answered when it is listed; `*` with credentials
 * becomes `*` without them, since reflecting the caller would let every site act as the user.
 */
export function cors(settings: CorsSettings): Middleware {
  const anyOrigin = settings.corsAllowOrigins.includes('*');
  const credentials = settings.corsAllowCredentials && !anyOrigin;
  if (anyOrigin && settings.corsAllowCredentials) {
    getLogger('app.http.cors').warning(
      'CORS_ALLOW_ORIGINS is *, so answers allow no credentials: list the origins that may use them',
    );
  }
  // Browsers send scheme and host in lower case (URL standard §4.7).
  const origins = new Set(settings.corsAllowOrigins.map((origin) => origin.toLowerCase()));
  const anyMethod = settings.corsAllowMethods.includes('*');
  const middleware = koaCors({
    origin: anyOrigin ? '*' : (ctx) => (origins.has(ctx.get('Origin')) ? ctx.get('Origin') : ''),
    credentials,
    // Empty: left to us.
    allowMethods: anyMethod ? '' : [...settings.corsAllowMethods],
    exposeHeaders: EXPOSED_HEADERS,
    // The error envelope keeps these headers by itself; the library would write them into the thrown value.
    keepHeadersOnError: false,
    // A literal * does not cover Authorization, nor anything where there are credentials (Fetch §3.3.3), so what was asked
    // for is answered: for headers this is the library's default.
    ...(settings.corsAllowHeaders.includes('*') ? {} : { allowHeaders: [...settings.corsAllowHeaders] }),
  }) as unknown as Middleware;

  return function cors(ctx, next) {
    if (ctx.method === 'OPTIONS') return options(ctx, next);
    // With * the answer is the same for every caller, so it carries no Vary; a shared cache may serve it to any origin.
    if (!anyOrigin && ctx.req.headers.origin !== undefined) return middleware(ctx, next);
    withoutOrigin(ctx);
    return next();
  };

  async function options(ctx: OkapiContext, next: () => Promise<void>): Promise<void> {
    // A preflight's answer depends on what it asks for; caches must know (Fetch §3.2).
    ctx.vary('Access-Control-Request-Method, Access-Control-Request-Headers');
    if (ctx.req.headers.origin === undefined) {
      withoutOrigin(ctx);
      return next();
    }
    const asked = ctx.req.headers['access-control-request-method'];
    if (!anyMethod || asked === undefined) return middleware(ctx, next);
    let isAllowed = true;
    await middleware(ctx, () => {
      isAllowed = false;
      return next();
    });
    if (isAllowed) ctx.res.setHeader('Access-Control-Allow-Methods', asked);
  }

  /** What the library would set for a caller that is no page, which most are. */
  function withoutOrigin(ctx: OkapiContext): void {
    if (!anyOrigin) {
      if (ctx.method === 'OPTIONS') ctx.vary('Origin');
      else ctx.res.setHeader('Vary', 'Origin');
      return;
    }
    ctx.res.setHeader('Access-Control-Allow-Origin', '*');
    ctx.res.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  }
}
