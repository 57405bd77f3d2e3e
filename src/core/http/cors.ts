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

const ALL_METHODS = 'GET,HEAD,POST,PUT,PATCH,DELETE';

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
    allowMethods: anyMethod ? ALL_METHODS : [...settings.corsAllowMethods],
    exposeHeaders: EXPOSED_HEADERS,
    // The error envelope keeps these headers by itself; the library would write them into the thrown value.
    keepHeadersOnError: false,
    // A literal * does not cover Authorization (Fetch §3.3.3), so what was asked for is answered: the library's default.
    ...(settings.corsAllowHeaders.includes('*') ? {} : { allowHeaders: [...settings.corsAllowHeaders] }),
  }) as unknown as Middleware;

  return function cors(ctx, next) {
    // A preflight's answer depends on what it asks for; caches must know (Fetch §3.2).
    if (ctx.method === 'OPTIONS') ctx.vary('Access-Control-Request-Method, Access-Control-Request-Headers');
    if (ctx.req.headers.origin !== undefined) return middleware(ctx, next);
    withoutOrigin(ctx);
    return next();
  };

  /** What the library would set for a caller that is no page, which most are. */
  function withoutOrigin(ctx: OkapiContext): void {
    if (!anyOrigin) {
      if (ctx.method === 'OPTIONS') ctx.vary('Origin');
      else ctx.res.setHeader('Vary', 'Origin');
      return;
    }
    // With * the answer is the same for every caller, so it carries no Vary; a shared cache may serve it to any origin.
    ctx.res.setHeader('Access-Control-Allow-Origin', '*');
    ctx.res.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  }
}
