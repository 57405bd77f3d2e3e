import type { TSchema } from './type.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

const COMBINATORS = ['anyOf', 'oneOf', 'allOf'] as const;
const PRIMITIVES = new Set(['string', 'number', 'integer', 'boolean', 'null']);

/** Whether a schema names every field that may occur, at any depth: no maps, no place where anything goes. */
export function isClosed(schema: TSchema): boolean {
  const { type, items, properties, additionalProperties, patternProperties } = schema as JsonSchema;
  if ('const' in schema || 'enum' in schema) return true;
  for (const combinator of COMBINATORS) {
    const parts = (schema as JsonSchema)[combinator];
    if (Array.isArray(parts)) return parts.every(isClosed);
  }
  if (type === 'array') return items !== undefined && isClosed(items as TSchema);
  if (type !== 'object') return PRIMITIVES.has(type as string);
  return (
    additionalProperties === false &&
    patternProperties === undefined &&
    Object.values(properties ?? {}).every((inner) => isClosed(inner as TSchema))
  );
}

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

type Place = { value: unknown; key: string; above: Place | undefined };

/**
 * The path to a field, at any depth, whose name reaches into the prototype of objects; `undefined` when there is none.
 * Where any field may occur, code behind may copy what is there key by key.
 */
export function forbiddenField(value: unknown): readonly string[] | undefined {
  // A list instead of recursion: a body may nest deeper than the stack goes.
  const places: Place[] = [{ value, key: '', above: undefined }];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const { value: inner } = place;
    if (typeof inner !== 'object' || inner === null) continue;
    for (const key of Object.keys(inner)) {
      if (FORBIDDEN.has(key)) return [...pathOf(place), key];
      places.push({ value: (inner as Record<string, unknown>)[key], key, above: place });
    }
  }
  return undefined;
}

function pathOf(place: Place): string[] {
  const path: string[] = [];
  for (let at: Place = place; at.above !== undefined; at = at.above) path.push(at.key);
  return path.reverse();
}
