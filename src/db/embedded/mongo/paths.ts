import { CommandError } from './command-error.ts';
import { type Fields, isFields } from './documents.ts';

const INDEX = /^\d+$/;

/**
 * The values at the end of a dotted path, as queries and indexes see them: the path goes through arrays, into each of
 * their documents, and a number also names an element. `undefined` stands for a document that lacks the field.
 */
export function valuesAt(document: unknown, path: string): unknown[] {
  const values: unknown[] = [];
  collect(document, path.split('.'), 0, values);
  return values;
}

function collect(value: unknown, parts: readonly string[], depth: number, into: unknown[]): void {
  const part = parts[depth];
  if (part === undefined) into.push(value);
  else if (isFields(value)) collect(Object.hasOwn(value, part) ? value[part] : undefined, parts, depth + 1, into);
  else if (Array.isArray(value)) {
    if (INDEX.test(part) && Number(part) < value.length) collect(value[Number(part)], parts, depth + 1, into);
    for (const item of value) if (isFields(item)) collect(item, parts, depth, into);
  } else into.push(undefined);
}

/** `valuesAt`, and beside each array its elements: a condition on an array holds when it holds for one of them. */
export function candidatesAt(document: unknown, path: string): unknown[] {
  return valuesAt(document, path).flatMap((value) => (Array.isArray(value) ? [value, ...value] : [value]));
}

/**
 * Splits the path of an update.
 * @throws CommandError for empty parts, and for the positional `$`, which the embedded server does not have.
 */
export function updatePath(path: string): string[] {
  const parts = path.split('.');
  for (const part of parts) {
    if (part === '') throw new CommandError('EmptyFieldName', `The update path '${path}' contains an empty field name`);
    if (part.startsWith('$'))
      throw new CommandError('BadValue', `'${part}' in '${path}' is not supported in an update path`);
    if (part === '__proto__') throw new CommandError('BadValue', `'${path}' is not supported as an update path`);
  }
  return parts;
}

/** The value a path of an update names; unlike in queries, an array is entered only by number. */
export function getAt(document: Fields, path: string): unknown {
  let value: unknown = document;
  for (const part of updatePath(path)) {
    if (isFields(value)) value = Object.hasOwn(value, part) ? value[part] : undefined;
    else if (Array.isArray(value) && INDEX.test(part)) value = value[Number(part)];
    else return undefined;
  }
  return value;
}

/**
 * Sets what a path names, making the documents in between, and nulls up to a new element of an array.
 * @throws CommandError `PathNotViable` when something other than a document or array is in the way.
 */
export function setAt(document: Fields, path: string, value: unknown): void {
  const parts = updatePath(path);
  const last = parts.pop() ?? path;
  let parent: unknown = document;
  for (const part of parts) {
    const child = isFields(parent) && !Object.hasOwn(parent, part) ? undefined : slot(parent, part);
    if (child === undefined) put(parent, part, {}, path);
    parent = slot(parent, part);
  }
  put(parent, last, value, path);
}

/** Removes what a path names, if it is there; an element of an array becomes null, as in MongoDB. */
export function unsetAt(document: Fields, path: string): void {
  const parts = updatePath(path);
  const last = parts.pop() ?? path;
  const parent = parts.length > 0 ? getAt(document, parts.join('.')) : document;
  if (isFields(parent)) delete parent[last];
  else if (Array.isArray(parent) && INDEX.test(last) && Number(last) < parent.length) parent[Number(last)] = null;
}

function slot(parent: unknown, part: string): unknown {
  return (parent as Fields | undefined)?.[part];
}

function put(parent: unknown, part: string, value: unknown, path: string): void {
  if (isFields(parent)) parent[part] = value;
  else if (Array.isArray(parent) && INDEX.test(part) && Number(part) <= parent.length + 10_000) {
    while (parent.length < Number(part)) parent.push(null);
    parent[Number(part)] = value;
  } else
    throw new CommandError('PathNotViable', `Cannot create field '${part}' of '${path}': its parent is no document`);
}
