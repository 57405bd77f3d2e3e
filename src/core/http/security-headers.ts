import helmet from 'koa-helmet';
import type { Middleware } from './state.ts';

/**
 * The security headers of every answer, errors and preflights included. koa-helmet makes them once; as they are the same
 * for every answer they are only copied from then on.
 */
export function securityHeaders(): Middleware {
  const headers = headersOfHelmet();
  return function securityHeaders(ctx, next) {
    for (const [name, value] of headers) ctx.res.setHeader(name, value);
    return next();
  };
}

/** What koa-helmet sets, as constant pairs. Also put on what Node's parser refuses, which never reaches a layer. */
export function headersOfHelmet(): readonly (readonly [string, string])[] {
  const headers = new Map<string, string>();
  const response = {
    setHeader: (name: string, value: string) => headers.set(name, value),
    removeHeader: (name: string) => headers.delete(name),
    getHeader: (name: string) => headers.get(name),
  };
  const context = { req: {}, res: response, request: {}, response: {}, state: {} };
  const middleware = helmet({
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'strict-origin-when-cross-origin' },
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"] },
    },
    // What only matters for pages of HTML is left out, but for the policies above, which say that there are none.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    dnsPrefetchControl: false,
    ieNoOpen: false,
    permittedCrossDomainPolicies: false,
    xssFilter: false,
    // An API is read from other origins as CORS allows; the policy of that name would forbid it a second time.
    crossOriginResourcePolicy: false,
  });
  void middleware(context as never, async () => undefined);
  return [...headers];
}
