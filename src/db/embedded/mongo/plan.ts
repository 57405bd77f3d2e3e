import type { Index } from './catalog.ts';
import type { Fields } from './documents.ts';
import { type Bounds, type Knowledge, learn } from './knowledge.ts';
import type { Order } from './sort.ts';

/** Index keys from `from` on and below `below`. */
export interface KeyRange {
  from: Buffer;
  below: Buffer;
}

/** How to find documents by an index: a superset of the answer, to be tested against the filter. */
export interface Plan {
  index: Index;
  ranges: KeyRange[];
  /** Read from the end of the ranges to their beginning. */
  reverse: boolean;
  /** The documents come in the order asked for. */
  sorted: boolean;
}

const END = Buffer.from([0xff]);

/** The index that narrows the search most, or else gives the order; `undefined`: read the whole collection. */
export function choosePlan(indexes: readonly Index[], condition: Fields, order: Order): Plan | undefined {
  const knowledge = learn(condition);
  let best: { plan: Plan; score: number } | undefined;
  for (const index of indexes) {
    const candidate = consider(index, knowledge, order);
    if (candidate.score > (best?.score ?? 0)) best = candidate;
  }
  return best?.plan;
}

function consider(index: Index, { equal, bounds }: Knowledge, order: Order): { plan: Plan; score: number } {
  let prefixes: Buffer[] = [Buffer.alloc(0)];
  let fixed = 0;
  let score = 0;
  for (const [path, direction] of index.order) {
    const keys = equal.get(path);
    if (!keys || prefixes.length * keys.length > 1000) break;
    prefixes = prefixes.flatMap((prefix) => keys.map((key) => Buffer.concat([prefix, directed(key, direction)])));
    fixed += 1;
    score += 10;
  }
  const next = index.order[fixed];
  const bound = next && bounds.get(next[0]);
  const ranges = prefixes.map((prefix) => rangeOf(prefix, bound, next?.[1] ?? 1, index.multikey));
  if (bound) score += 4;
  // A field that is the same in all of them, and no array in any, does not take part in their order.
  const constant = new Set(prefixes.length === 1 ? index.order.slice(0, fixed).map(([path]) => path) : []);
  const wanted = order.filter(([path]) => !constant.has(path));
  const rest = index.order.slice(fixed);
  const reverse = wanted[0] !== undefined && rest[0]?.[1] !== wanted[0][1];
  const inOrder = wanted.every(([path, direction], at) => {
    const field = rest[at];
    return field?.[0] === path && (field[1] === direction) !== reverse;
  });
  const sorted = inOrder && ranges.length === 1 && !index.multikey;
  if (sorted && order.length > 0) score += 5;
  return { plan: { index, ranges, reverse, sorted }, score };
}

function rangeOf(prefix: Buffer, bound: Bounds | undefined, direction: number, multikey: boolean): KeyRange {
  if (!bound) return { from: prefix, below: Buffer.concat([prefix, END]) };
  // Of an array, one element can be above the lower bound and another below the upper: only one of both narrows.
  const upper = multikey && bound.lower ? undefined : bound.upper;
  const [first, last] = direction === 1 ? [bound.lower, upper] : [upper, bound.lower];
  const rank = direction === 1 ? bound.rank : 0xff - bound.rank;
  return {
    from: Buffer.concat([prefix, first ? directed(first, direction) : Buffer.from([rank])]),
    below: Buffer.concat([prefix, ...(last ? [directed(last, direction), END] : [Buffer.from([rank + 1])])]),
  };
}

function directed(key: Buffer, direction: number): Buffer {
  return direction === 1 ? key : Buffer.from(key.map((byte) => 0xff - byte));
}
