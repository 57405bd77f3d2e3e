import Router from '@koa/router';
import type Koa from 'koa';
import { MethodNotAllowedError, NotFoundError } from '../errors/app-http-error.ts';
import { compose } from './compose.ts';
import { refusalOfRequest } from './request-target.ts';
import { compileRoute, type Route, type RouteTools } from './route.ts';
import { asKoa, type Middleware, type OkapiContext } from './state.ts';

/** The routes of an application, by where they are mounted. */
export type Routers = { root: readonly Route[]; api: readonly Route[] };

/** Mounts the routes: metrics and health at `/`, the domains at `/api`. Throws when a template is taken twice. */
export function initiateRouters(app: Koa, { root, api }: Routers, tools: RouteTools): void {
  // A route is served under its exact path alone: /API/Auth/LOGIN and /api/auth/login/ are no ways around a limit.
  const router = new Router({ strict: true, sensitive: true });
  const taken = new Set<string>();
  const fixed: FixedRoutes = new Map();
  const mount = (prefix: string, routes: readonly Route[]) => {
    for (const declared of routes) {
      const template = `${prefix}${declared.path}`;
      const key = `${declared.method} ${template.replace(/:\w+/g, ':')}`;
      if (taken.has(key)) throw new Error(`Two routes answer ${declared.method.toUpperCase()} ${template}`);
      taken.add(key);
      const layers = compileRoute(declared, template, tools);
      router[declared.method](template, ...layers.map((layer) => asKoa(layer)));
      if (!/[:*{(\\]/.test(template)) addFixed(fixed, declared.method, template, compose(layers));
    }
  };
  mount('', root);
  mount('/api', api);
  app.use(asKoa(refuseMalformed()));
  app.use(asKoa(noStore()));
  app.use(asKoa(takeFixed(fixed)));
  app.use(router.routes() as never);
  app.use(asKoa(unanswered(router)));
}

/** What HTTP forbids and Node lets through; here, so that the refusal carries what every answer does. */
function refuseMalformed(): Middleware {
  return function refuseMalformed(ctx, next) {
    const refusal = refusalOfRequest(ctx.req);
    if (refusal !== undefined) throw refusal;
    return next();
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
