import type { Static, TSchema } from 'typebox';
import { readJsonBody } from './body.ts';
import type { Middleware, OkapiContext, OkapiState } from './state.ts';
import { compileValidator, type Part, type PartValidator, refuse } from './validation.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What one answer of a route looks like. `schema` is that of `data`; without it there is no body. */
export type RouteResponse = { description: string; schema?: TSchema };

/** What a handler gets: the context, with the parts of the request that were validated, typed by their schemas. */
export type RouteContext<B = unknown, Q = unknown, P = unknown> = Omit<OkapiContext, 'state'> & {
  state: Omit<OkapiState, 'input'> & { input: { body: B; query: Q; params: P } };
};

export type RouteOptions<B extends TSchema, Q extends TSchema, P extends TSchema> = {
  method: Method;
  /** Template below the router's prefix, such as `/sessions/:id`. */
  path: string;
  summary: string;
  /** Whether only a signed-in user may call it. */
  authenticated?: boolean;
  body?: B;
  query?: Q;
  params?: P;
  /** By status; error answers that every route may give need not be listed. */
  responses: Readonly<Record<number, RouteResponse>>;
  /** Not counted, traced or logged: health and metrics. */
  quiet?: boolean;
  handler: (ctx: RouteContext<Static<B>, Static<Q>, Static<P>>) => Promise<void> | void;
};

/** A declared route; `compileRoute` makes middleware of it. */
export type Route = RouteOptions<TSchema, TSchema, TSchema>;

/** What the telemetry layer and the envelope need to know of the route that matched. */
export type CompiledRoute = { readonly template: string; readonly method: string; readonly quiet: boolean };

/** Declares a route. Body, query, params and answers are said once: validation and types come from here. */
export function route<B extends TSchema = TSchema, Q extends TSchema = TSchema, P extends TSchema = TSchema>(
  options: RouteOptions<B, Q, P>,
): Route {
  return options as unknown as Route;
}

export type RouteTools = {
  /** Largest body in bytes. */
  bodyLimit: number;
  authenticate: Middleware;
};

/**
 * The layers of one route in their order: who calls, what they sent, whether it is allowed, the handler.
 * Throws when a schema is not valid JSON Schema.
 */
export function compileRoute(declared: Route, template: string, tools: RouteTools): Middleware[] {
  const compiled: CompiledRoute = {
    template,
    method: declared.method.toUpperCase(),
    quiet: declared.quiet ?? false,
  };
  const layers: Middleware[] = [
    function matched(ctx, next) {
      ctx.state.route = compiled;
      ctx.state.input = { body: undefined, query: undefined, params: undefined };
      return next();
    },
  ];
  if (declared.authenticated) layers.push(tools.authenticate);
  if (declared.body !== undefined) layers.push(readJsonBody(tools.bodyLimit));
  const validators = validatorsOf(declared);
  if (validators.length > 0) layers.push(validate(validators));
  layers.push(async function handle(ctx) {
    await declared.handler(ctx as unknown as RouteContext);
  });
  return layers;
}

function validatorsOf(declared: Route): [Part, PartValidator][] {
  return (['params', 'query', 'body'] as const).flatMap((part): [Part, PartValidator][] => {
    const schema = declared[part];
    return schema === undefined ? [] : [[part, compileValidator(part, schema)]];
  });
}

function validate(validators: readonly [Part, PartValidator][]): Middleware {
  return async function validate(ctx, next) {
    const { input } = ctx.state;
    input.query = { ...ctx.query };
    input.params = { ...ctx.params };
    refuse(validators.flatMap(([part, validator]) => validator(input[part])));
    await next();
  };
}
