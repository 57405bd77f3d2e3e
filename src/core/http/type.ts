import type { TProperties, TSchema, TString, Type as TypeBox, Static as TypeOf } from 'typebox';

export type { TProperties, TSchema };

/** The TypeScript type of what a schema lets pass. */
export type Static<Schema extends TSchema> = TypeOf<Schema>;

type Builders = Pick<
  typeof TypeBox,
  | 'Array'
  | 'Boolean'
  | 'Enum'
  | 'Integer'
  | 'Literal'
  | 'Null'
  | 'Number'
  | 'Object'
  | 'Optional'
  | 'String'
  | 'Union'
  | 'Unknown'
> & { Record<V extends TSchema>(key: TString, value: V): ReturnType<typeof TypeBox.Record<TString, V>> };

type Json = Readonly<Record<string, unknown>>;
type Parts = Readonly<Record<string, Json>>;

const OPTIONAL = '~optional';

/**
 * Builds JSON Schemas (draft 2020-12) as TypeBox does, and with its types: `Static<typeof schema>` is the TypeScript type
 * of what a schema lets pass. Every function takes the keywords of its kind last (`minLength`, `description` …); a
 * property is required unless it is `Type.Optional`. These are the ones that routes need; those of `typebox` itself can
 * be mixed with them, and load 373 files.
 */
export const Type = {
  Array: (items: Json, options?: Json) => ({ type: 'array', items, ...options }),
  Boolean: (options?: Json) => ({ type: 'boolean', ...options }),
  Enum: (values: readonly unknown[] | Json, options?: Json) => ({ enum: Object.values(values), ...options }),
  Integer: (options?: Json) => ({ type: 'integer', ...options }),
  Literal: (value: unknown, options?: Json) => ({ type: typeof value, const: value, ...options }),
  Null: (options?: Json) => ({ type: 'null', ...options }),
  Number: (options?: Json) => ({ type: 'number', ...options }),
  Object(properties: Parts, options?: Json) {
    const required = Object.keys(properties).filter((name) => !(OPTIONAL in (properties[name] ?? {})));
    return { type: 'object', ...(required.length > 0 && { required }), properties, ...options };
  },
  Optional: (schema: Json) => Object.defineProperty({ ...schema }, OPTIONAL, { value: true }),
  Record: ({ pattern = '^.*$' }: { pattern?: string }, value: Json) => ({
    type: 'object',
    patternProperties: { [pattern]: value },
  }),
  String: (options?: Json) => ({ type: 'string', ...options }),
  Union: (anyOf: readonly Json[], options?: Json) => ({ anyOf, ...options }),
  Unknown: (options?: Json) => ({ ...options }),
} as unknown as Builders;
