import { StartupError } from '../errors/startup-error.ts';
import type { Route, RouteResponse } from './route.ts';
import { problemWithLimits } from './route-limits.ts';
import type { TSchema } from './type.ts';
import { assertSchema, compileValidator, type Part } from './validation.ts';

const BODILESS = new Set([204, 304]);

const TEMPLATE = /^(\/|(\/(:[A-Za-z]\w*|[\w.~-]+))+)$/;

/** Throws `StartupError` when two routes answer the same requests, or name the parameters of one path differently. */
export function assertDistinct(routes: readonly { route: Route; template: string }[]): void {
  const templates = new Map<string, string>();
  const taken = new Set<string>();
  for (const { route, template } of routes) {
    const shape = template.replace(/:\w+/g, ':');
    const name = `${route.method.toUpperCase()} ${template}`;
    if (taken.has(`${route.method} ${shape}`)) throw new StartupError(`Two routes answer ${name}`);
    taken.add(`${route.method} ${shape}`);
    const other = templates.get(shape) ?? template;
    if (other !== template) throw new StartupError(`Route ${name} must name its parameters as ${other} does`);
    templates.set(shape, template);
  }
}

/** Throws `StartupError`, in one line that names the route, when a declaration says too little or a schema is none. */
export function assertDeclared(declared: Route, template: string): void {
  const name = `${declared.method.toUpperCase()} ${template}`;
  if (!TEMPLATE.test(template)) throw new StartupError(`Route ${name} may have only fixed segments and :names`);
  for (const part of ['params', 'query', 'body'] as const) assertPart(name, part, declared[part]);
  assertParameters(name, template, declared.params);
  const limits = problemWithLimits(declared.limits ?? {});
  if (limits !== undefined) throw new StartupError(`Route ${name} ${limits}`);
  const answers = Object.entries(declared.responses);
  if (!answers.some(([status]) => Number(status) < 400)) {
    throw new StartupError(`Route ${name} declares no answer: give responses at least one status below 400`);
  }
  for (const [status, response] of answers) assertResponse(name, Number(status), response);
}

/** The names of the parameters of a template. */
export function parametersOf(template: string): string[] {
  return [...template.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
}

function assertPart(name: string, part: Part, schema: TSchema | undefined): void {
  if (schema === undefined) return;
  refusing(name, part, () => assertSchema(schema));
  refusing(name, part, () => compileValidator(part, schema));
  const { type, additionalProperties, patternProperties } = schema as Record<string, unknown>;
  const isOpen = type === 'object' && additionalProperties !== false && patternProperties === undefined;
  const isObject = part === 'body' || type === 'object';
  if (isOpen || !isObject) {
    throw new StartupError(`Route ${name} lets unknown fields into its ${part}: declare it with BaseDTO`);
  }
}

function assertParameters(name: string, template: string, params: TSchema | undefined): void {
  const inTemplate = parametersOf(template);
  const { properties = {} } = (params ?? {}) as { properties?: object };
  const declared = Object.keys(properties);
  if (inTemplate.length === declared.length && inTemplate.every((each) => declared.includes(each))) return;
  const wanted = inTemplate.length === 0 ? 'none' : inTemplate.join(', ');
  throw new StartupError(`Route ${name} must declare in params what stands in its template: ${wanted}`);
}

function assertResponse(name: string, status: number, { schema, content }: RouteResponse): void {
  if (schema !== undefined) refusing(name, `answer ${status}`, () => assertSchema(schema));
  const isBodiless = BODILESS.has(status);
  const hasBody = schema !== undefined || content !== undefined;
  if (isBodiless && hasBody) {
    throw new StartupError(`Route ${name} declares a body for ${status}, which has none: remove schema and content`);
  }
  if (!isBodiless && !hasBody) {
    throw new StartupError(`Route ${name} has no schema for its answer ${status}: give the response schema or content`);
  }
}

function refusing(name: string, what: string, compile: () => unknown): void {
  try {
    compile();
  } catch (cause) {
    throw new StartupError(`Route ${name} has a ${what} that is no JSON Schema: ${(cause as Error).message}`, {
      cause,
    });
  }
}
