import type { Collection } from './catalog.ts';
import { CommandError } from './command-error.ts';
import { decode, type Fields } from './documents.ts';
import type { Filter } from './filter.ts';
import { choosePlan } from './plan.ts';
import { type Order, sortKey } from './sort.ts';
import type { Store } from './store.ts';

export interface Found {
  id: number;
  body: Uint8Array;
  /** Decoded by `decode`. */
  document: Fields;
}

export interface SearchOptions {
  order?: Order;
  skip?: number;
  /** 0: no limit. */
  limit?: number;
  /** Milliseconds since the epoch. */
  deadline?: number;
}

/**
 * The documents that fulfil a filter, in order. Read on demand: documents that are written while the reader pauses may
 * or may not be among them, as with a cursor of MongoDB; one that no longer fulfils the filter is not.
 */
export function* search(
  store: Store,
  collection: Collection | undefined,
  filter: Filter,
  options: SearchOptions = {},
): Generator<Found> {
  if (!collection) return;
  const { order = [], skip = 0, limit = 0, deadline = Number.POSITIVE_INFINITY } = options;
  const plan = choosePlan(collection.indexes, filter.condition, order);
  const load = (id: number) => loadMatching(store, id, filter, deadline);
  const candidates = plan ? store.search(plan) : store.scan(collection);
  const ids = order.length === 0 || plan?.sorted ? candidates : sorted(candidates, load, order);
  let position = 0;
  for (const id of ids) {
    const found = load(id);
    if (!found) continue;
    position += 1;
    if (position <= skip) continue;
    yield found;
    if (limit > 0 && position === skip + limit) return;
  }
}

function loadMatching(store: Store, id: number, filter: Filter, deadline: number): Found | undefined {
  if (Date.now() > deadline) throw new CommandError('MaxTimeMSExpired', 'operation exceeded time limit');
  const body = store.body(id);
  if (!body) return undefined;
  const document = decode(body);
  return filter.test(document) ? { id, body, document } : undefined;
}

/** Keeps only keys and ids while sorting, not documents. */
function* sorted(ids: Iterable<number>, load: (id: number) => Found | undefined, order: Order): Generator<number> {
  const keyed: Array<{ id: number; key: Buffer }> = [];
  for (const id of ids) {
    const found = load(id);
    if (found) keyed.push({ id, key: sortKey(found.document, order) });
  }
  keyed.sort((a, b) => Buffer.compare(a.key, b.key));
  for (const { id } of keyed) yield id;
}
