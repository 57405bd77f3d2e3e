import { CommandError } from './command-error.ts';
import { type Fields, isFields } from './documents.ts';
import { EMPTY_ARRAY, encodeKey } from './key-encoding.ts';
import { valuesAt } from './paths.ts';

/** Field paths with their direction, 1 or -1, the most significant first. */
export type Order = ReadonlyArray<readonly [path: string, direction: 1 | -1]>;

/**
 * Reads a sort specification or the key of an index.
 * @throws CommandError `BadValue` for directions other than 1 and -1 (text, hashed, geographic, `$meta`).
 */
export function parseOrder(specification: unknown): Order {
  if (specification === undefined) return [];
  if (!isFields(specification)) throw new CommandError('TypeMismatch', 'an order must be a document');
  return Object.entries(specification).map(([path, given]) => {
    const direction = Number(given);
    if (direction !== 1 && direction !== -1) {
      throw new CommandError('BadValue', `${JSON.stringify(path)} can only be ordered by 1 or -1`);
    }
    if (path === '' || path.startsWith('$') || path.split('.').includes('')) {
      throw new CommandError('BadValue', `${JSON.stringify(path)} cannot be ordered by`);
    }
    return [path, direction] as const;
  });
}

/** The encoded values of one field, an array counting as its elements; at least one, in no order, without repetition. */
export function fieldKeys(document: Fields, path: string, direction: number): Buffer[] {
  const values = valuesAt(document, path).flatMap((value) => {
    if (!Array.isArray(value)) return [value];
    return value.length > 0 ? value : [EMPTY_ARRAY];
  });
  if (values.length === 0) values.push(undefined);
  const keys = values.map((value) => encodeKey([value], [direction]));
  return keys.filter((key, index) => keys.findIndex((other) => other.equals(key)) === index);
}

/** Bytes that compare as the documents sort: of an array, the least element counts, or the greatest when descending. */
export function sortKey(document: Fields, order: Order): Buffer {
  return Buffer.concat(
    order.map(([path, direction]) => fieldKeys(document, path, direction).sort(Buffer.compare)[0] ?? Buffer.alloc(0)),
  );
}
