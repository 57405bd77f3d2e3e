import { type TProperties, type TSchema, Type } from './type.ts';

export type DtoOptions = {
  /** The name under which the API's description and error messages speak of it, such as `Credentials`. */
  title?: string;
  description?: string;
};

/** An object schema that refuses fields nobody declared. Its TypeScript type is `Static<typeof schema>`. */
export function BaseDTO<P extends TProperties>(properties: P, options: DtoOptions = {}) {
  return Type.Object(properties, { ...options, additionalProperties: false });
}

/** What came through validation, and against which schema. */
const validated = new WeakMap<object, TSchema>();

/** Takes note that `value` came through validation against `schema`, for `requireDto`. */
export function rememberValidated(value: unknown, schema: TSchema): void {
  if (typeof value === 'object' && value !== null) validated.set(value, schema);
}

// biome-ignore lint/suspicious/noExplicitAny: any function can be guarded, and keeps its type
type AnyFunction = (this: any, ...args: any[]) => unknown;

/**
 * Guards a service function: it is only called with a value that came through a route's validation against one of
 * `schemas`. That value is the property `data` of the last argument, else its property `dto`, else the last argument.
 *
 *     const login = requireDto(Credentials)(async function login(device: SessionDeviceInfo, data: Credentials) { … });
 *
 * A call with anything else throws a `TypeError` that names the function and the schemas: such a call is a mistake in
 * the code, not in what a client sent.
 */
export function requireDto(...schemas: readonly TSchema[]) {
  return function guard<F extends AnyFunction>(fn: F): F {
    const names = schemas.map(nameOf).join(' or ');
    function guarded(this: unknown, ...args: unknown[]): unknown {
      const value = dtoAmong(args);
      const schema = typeof value === 'object' && value !== null ? validated.get(value) : undefined;
      if (schema === undefined || !schemas.includes(schema)) {
        throw new TypeError(`${fn.name || 'This function'} takes only a validated ${names}`);
      }
      return fn.apply(this, args);
    }
    // Stack traces and profiles show the function, not its guard.
    Object.defineProperty(guarded, 'name', { value: fn.name, configurable: true });
    return guarded as F;
  };
}

function dtoAmong(args: readonly unknown[]): unknown {
  const last = args.at(-1);
  if (typeof last !== 'object' || last === null) return last;
  if (Object.hasOwn(last, 'data')) return (last as { data: unknown }).data;
  return Object.hasOwn(last, 'dto') ? (last as { dto: unknown }).dto : last;
}

function nameOf(schema: TSchema): string {
  const { title, properties = {} } = schema as { title?: string; properties?: object };
  return title ?? `{ ${Object.keys(properties).join(', ')} }`;
}
