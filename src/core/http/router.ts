import Router from '@koa/router';
import type Koa from 'koa';
import { MethodNotAllowedError, NotFoundError } from '../errors/app-http-error.ts';
import { compileRoute, type RouteTools } from './compile-route.ts';
import { compose } from './compose.ts';
import { refusalOfRequest } from './request-target.ts';
import type { Route } from './route.ts';
import { assertDistinct } from './route-rules.ts';
import { asKoa, type Middleware, type OkapiContext } from './state.ts';

/** The routes of an application, by where they are mounted. */
export type Routers = { root: readonly Route[]; api: readonly Route[] };

/** A route and the whole template of its path. */
export type MountedRoute = { readonly route: Route; readonly template: string };

/** Every route with its whole template: those of `api` at `/api`, those of `root` at `/`. */
export function mountedRoutes({ root, api }: Routers): MountedRoute[] {
  return [
    ...api.map((route) => ({ route, template: `/api${route.path}` })),
    ...root.map((route) => ({ route, template: route.path })),
  ];
}

/**
 * Mounts the routes: metrics and health at `/`, the domains at `/api`. Throws `StartupError` when a
 * declaration is not whole or two of them answer the same.
 */
export function initiateRouters(app: Koa, routers: Routers, tools: RouteTools): Router {
  // A route is served under its exact path alone: /API/Auth/LOGIN and /api/auth/login/ are no ways around a limit.
  const router = new Router({ strict: true, sensitive: true });
  const fixed: FixedRoutes = new Map();
  const mounted = mountedRoutes(routers);
  assertDistinct(mounted);
  for (const { route, template } of mounted) {
    const layers = compileRoute(route, template, tools);
    router[route.method](template, ...layers.map((layer) => asKoa(layer)));
    if (!template.includes(':')) addFixed(fixed, route.method, template, compose(layers));
  }
  app.use(asKoa(refuseMalformed()));
  app.use(asKoa(noStore()));
  app.use(asKoa(takeFixed(fixed)));
  app.use(router.routes() as never);
  app.use(asKoa(unanswered(router)));
  return router;
}

/** What HTTP forbids and Node lets through; here, so that the refusal carries what every answer does. */
function refuseMalformed(): Middleware {
  return function refuseMalformed(ctx, next) {
    const refusal = refusalOfRequest(ctx.req);
    return refusal === undefined ? next() : Promise.reject(refusal);
  };
}

type FixedRoutes = Map<string, Map<string, (ctx: OkapiContext) => Promise<void>>>;

function addFixed(routes: FixedRoutes, method: string, path: string, run: (ctx: OkapiContext) => Promise<void>): void {
  for (const verb of method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]) {
    const byPath = routes.get(verb) ?? new Map();
    routes.set(verb, byPath.set(path, run));
  }
}

/**
 * A template without parameters is its own path: finding it is a look-up, where the router would try every pattern and
 * compose the layers anew. All others are the router's.
 */
function takeFixed(routes: FixedRoutes): Middleware {
  return function takeFixed(ctx, next) {
    const run = routes.get(ctx.req.method ?? '')?.get(ctx.state.path);
    return run === undefined ? next() : run(ctx);
  };
}

/** Answers below `/api` are for one caller at one moment, unless a route says otherwise. */
function noStore(): Middleware {
  return function noStore(ctx, next) {
    if (ctx.state.path.startsWith('/api')) ctx.res.setHeader('Cache-Control', 'no-store');
    return next();
  };
}

/** What no route took: 405 with `Allow` where another method would be answered, else 404. */
function unanswered(router: Router): Middleware {
  return async function unanswered(ctx) {
    const allowed = allowedMethods(router, ctx.path);
    if (allowed.length === 0) throw new NotFoundError(`Nothing is served at ${printable(ctx.path)}`);
    if (ctx.method === 'OPTIONS') {
      ctx.status = 204;
      ctx.res.setHeader('Allow', allowed.join(', '));
      return;
    }
    throw new MethodNotAllowedError(`Allowed here: ${allowed.join(', ')}`, { headers: { Allow: allowed.join(', ') } });
  };
}

function allowedMethods(router: Router, path: string): string[] {
  const methods = new Set(router.stack.filter((layer) => layer.match(path)).flatMap((layer) => layer.methods));
  return methods.size === 0 ? [] : [...methods, 'OPTIONS'].sort();
}

function printable(path: string): string {
  return path.replace(/[^\x21-\x7e]/g, '?').slice(0, 200);
}
