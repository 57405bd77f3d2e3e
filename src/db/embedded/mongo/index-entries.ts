import type { Collection, Index } from './catalog.ts';
import { CommandError } from './command-error.ts';
import type { Fields } from './documents.ts';
import { getAt } from './paths.ts';
import { fieldKeys } from './sort.ts';

export interface Entry {
  index: Index;
  key: Buffer;
  document: Fields;
}

/**
 * The entries a document has in an index: one, or one for each element when a field is an array.
 * @throws CommandError `CannotIndexParallelArrays` when several fields are arrays.
 */
export function indexEntries(index: Index, document: Fields): Entry[] {
  const fields = index.order.map(([path, direction]) => fieldKeys(document, path, direction));
  if (fields.filter((keys) => keys.length > 1).length > 1) {
    throw new CommandError('CannotIndexParallelArrays', `cannot index parallel arrays in index ${index.name}`);
  }
  let keys: Buffer[] = [Buffer.alloc(0)];
  for (const field of fields) keys = keys.flatMap((key) => field.map((more) => Buffer.concat([key, more])));
  return keys.map((key) => ({ index, key, document }));
}

/** The refusal that MongoDB gives when `document` would have the key of another. */
export function duplicateKey({ database, name }: Collection, index: Index, document: Fields): CommandError {
  const keyValue = Object.fromEntries(index.order.map(([path]) => [path, getAt(document, path) ?? null]));
  const shown = Object.entries(keyValue).map(([path, value]) => `${path}: ${JSON.stringify(value)}`);
  return new CommandError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${database}.${name} index: ${index.name} dup key: { ${shown.join(', ')} }`,
    { keyPattern: index.specification['key'], keyValue },
  );
}
