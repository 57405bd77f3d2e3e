import type { Index } from './catalog.ts';
import { encodeKey } from './key-encoding.ts';
import type { KeyRange } from './plan.ts';
import type { Store } from './store.ts';

/** So many documents are removed in one transaction, between which commands are answered. */
const CHUNK = 500;

/** Removes what TTL indexes say has expired at `now` (milliseconds since the epoch); at most a chunk of each index. */
export function removeExpired(store: Store, now: number): number {
  let removed = 0;
  for (const collection of store.catalog.all()) {
    for (const index of collection.indexes) {
      const range = expiredRange(index, now);
      if (!range) continue;
      const ids = new Set(store.searchRange(index, range).take(CHUNK));
      if (ids.size === 0) continue;
      store.transaction(() => {
        for (const id of ids) store.delete(collection, id);
      });
      removed += ids.size;
    }
  }
  return removed;
}

/** The keys of dates that are at least `expireAfterSeconds` ago; values that are no dates never expire. */
function expiredRange(index: Index, now: number): KeyRange | undefined {
  if (index.expireAfterSeconds === undefined) return undefined;
  const limit = new Date(now - index.expireAfterSeconds * 1000 + 1);
  const [earliest, latest] = [encodeKey([new Date(-8.64e15)]), encodeKey([limit])];
  if (index.order[0]?.[1] !== -1) return { from: earliest, below: latest };
  const [from, below] = [encodeKey([new Date(limit.getTime() - 1)], [-1]), encodeKey([new Date(-8.64e15)], [-1])];
  return { from, below: Buffer.concat([below, Buffer.from([0])]) };
}

/** Sweeps at once and then every `everyMs`, going on without a pause while there is more. Returns how to end it. */
export function startSweeping(store: Store, everyMs: number): () => void {
  let timer: NodeJS.Timeout;
  const sweep = () => {
    const removed = removeExpired(store, Date.now());
    timer = setTimeout(sweep, removed >= CHUNK ? 0 : everyMs).unref();
  };
  timer = setTimeout(sweep, 0).unref();
  return () => clearTimeout(timer);
}
