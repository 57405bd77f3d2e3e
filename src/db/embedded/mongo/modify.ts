import type { Collection } from './catalog.ts';
import { type Command, collectionName } from './command.ts';
import { type Fields, storable } from './documents.ts';
import type { Found } from './search.ts';
import type { Store } from './store.ts';
import type { Update } from './update.ts';

/** The collection to change: an update that cannot insert does not make one. */
export function target(command: Command, store: Store, upsert: unknown): Collection | undefined {
  const name = collectionName(command);
  return upsert === true ? store.catalog.ensure(command.database, name) : store.catalog.find(command.database, name);
}

/**
 * What a search finds, before any of it is changed: a change could move a document to where the search has yet to come.
 * Ids only, since the documents of a whole collection may not fit into memory.
 */
export function idsOf(found: Iterable<Found>): number[] {
  return Array.from(found, ({ id }) => id);
}

/** The bytes after the change, `undefined` when it changed nothing. */
export function applyTo(store: Store, collection: Collection, change: Update, id: number): Uint8Array | undefined {
  const body = store.body(id);
  const changed = body && change.apply(body);
  if (!changed || Buffer.compare(changed, body) === 0) return undefined;
  store.replace(collection, id, body, changed);
  return changed;
}

/** Inserts what an upsert did not find, and gives its bytes. */
export function insertMissing(store: Store, collection: Collection, change: Update, condition: Fields): Uint8Array {
  const body = storable(change.insertion(condition));
  store.insert(collection, body);
  return body;
}
