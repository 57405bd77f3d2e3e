import type { RateLimiter } from '../security/limits/rate-limiter.ts';
import { readJsonBody } from './body.ts';
import { shed } from './overload.ts';
import { requireRoles } from './require-roles.ts';
import { type CompiledRoute, isGuarded, type Route, type RouteContext } from './route.ts';
import { createRouteLimits } from './route-limits.ts';
import { assertDeclared } from './route-rules.ts';
import type { Middleware } from './state.ts';
import { compileValidator, type Part, type PartValidator, refuse } from './validation.ts';

export type RouteTools = {
  /** Largest body in bytes. */
  bodyLimit: number;
  authenticate: Middleware;
  limiter: RateLimiter;
};

/**
 * The layers of one route in their order: who calls, whether from there it is allowed once more, whether there is
 * room, what they sent, whether about that account it is allowed, the handler.
 * Throws `StartupError` when the declaration is not whole or a schema is none.
 */
export function compileRoute(declared: Route, template: string, tools: RouteTools): Middleware[] {
  assertDeclared(declared, template);
  const compiled: CompiledRoute = {
    template,
    method: declared.method.toUpperCase(),
    quiet: declared.quiet ?? false,
    timeoutMs: declared.timeoutMs,
  };
  const validators = validatorsOf(declared);
  const layers: Middleware[] = [
    function matched(ctx, next) {
      ctx.state.route = compiled;
      if (validators.length > 0) ctx.state.input = { body: undefined, query: undefined, params: undefined };
      return next();
    },
  ];
  if (isGuarded(declared)) layers.push(tools.authenticate);
  if (declared.roles !== undefined) layers.push(requireRoles(...declared.roles));
  const { byAddress, byAccount } = createRouteLimits(
    declared.limits ?? {},
    `${compiled.method}:${template}`,
    tools.limiter,
  );
  if (byAddress !== undefined) layers.push(byAddress);
  const { admit } = declared;
  if (admit !== undefined) {
    layers.push(function admission(ctx, next) {
      const refusal = admit();
      return refusal === undefined ? next() : shed(ctx, refusal);
    });
  }
  if (declared.body !== undefined) layers.push(readJsonBody(tools.bodyLimit));
  if (validators.length > 0) layers.push(validate(validators));
  if (byAccount !== undefined) layers.push(byAccount);
  layers.push(function handle(ctx) {
    return Promise.resolve(declared.handler(ctx as unknown as RouteContext));
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
  return function validate(ctx, next) {
    const { input } = ctx.state;
    input.query = { ...ctx.query };
    input.params = { ...ctx.params };
    refuse(validators.flatMap(([part, validator]) => validator(input[part])));
    return next();
  };
}
