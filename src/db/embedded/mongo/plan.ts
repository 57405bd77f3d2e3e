import type { Index } from './catalog.ts';
import { type Fields, isFields } from './documents.ts';
import { encodeKey, rankOf } from './key-encoding.ts';
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

/** What a filter says about one field, in ascending key bytes. */
interface Bounds {
  rank: number;
  lower?: Buffer;
  upper?: Buffer;
}
interface Knowledge {
  /** Keys one of which the field must have. */
  equal: Map<string, Buffer[]>;
  bounds: Map<string, Bounds>;
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

function learn(condition: Fields): Knowledge {
  const knowledge: Knowledge = { equal: new Map(), bounds: new Map() };
  for (const [path, value] of Object.entries(condition)) {
    if (path === '$and' && Array.isArray(value)) for (const part of value) merge(knowledge, learn(part as Fields));
    else if (path === '$or' && Array.isArray(value)) merge(knowledge, hull(value.map((part) => learn(part as Fields))));
    else if (!path.startsWith('$')) learnField(knowledge, path, value);
  }
  return knowledge;
}

function learnField({ equal, bounds }: Knowledge, path: string, value: unknown): void {
  if (!isFields(value) || !Object.keys(value).some((key) => key.startsWith('$'))) {
    if (isScalar(value)) equal.set(path, [encodeKey([value])]);
    return;
  }
  for (const [operator, operand] of Object.entries(value)) {
    if (operator === '$eq' && isScalar(operand)) equal.set(path, [encodeKey([operand])]);
    else if (operator === '$in' && Array.isArray(operand) && operand.every(isScalar)) {
      const keys = operand.map((item) => encodeKey([item])).sort(Buffer.compare);
      equal.set(
        path,
        keys.filter((key, at) => !keys[at - 1]?.equals(key)),
      );
    } else if (isScalar(operand) && /^\$[gl]te?$/.test(operator)) {
      const rank = rankOf(operand);
      const known = bounds.get(path);
      const side = operator.startsWith('$g') ? 'lower' : 'upper';
      if (known && (known.rank !== rank || known[side])) continue;
      bounds.set(path, { ...known, rank, [side]: encodeKey([operand]) });
    }
  }
}

/** An array could be meant as a whole or for each element, and a pattern has no key: an index cannot help with them. */
function isScalar(value: unknown): boolean {
  return !Array.isArray(value) && !(value instanceof RegExp);
}

function merge(into: Knowledge, from: Knowledge): void {
  for (const [path, keys] of from.equal) if (!into.equal.has(path)) into.equal.set(path, keys);
  for (const [path, bound] of from.bounds) if (!into.bounds.has(path)) into.bounds.set(path, bound);
}

/** What holds whichever alternative does: the lowest lower and the highest upper bound of a field they all bound. */
function hull(alternatives: Knowledge[]): Knowledge {
  const bounds = new Map<string, Bounds>();
  const [first, ...others] = alternatives.map(boundsOf);
  for (const [path, bound] of first ?? []) {
    const all = [bound, ...others.map((other) => other.get(path))];
    if (!all.every((one) => one !== undefined && one.rank === bound.rank)) continue;
    const lowers = all.map((one) => one?.lower);
    const uppers = all.map((one) => one?.upper);
    const lower = lowers.every((key) => key !== undefined) ? lowers.sort(Buffer.compare)[0] : undefined;
    const upper = uppers.every((key) => key !== undefined) ? uppers.sort(Buffer.compare).at(-1) : undefined;
    if (lower || upper) bounds.set(path, { rank: bound.rank, ...(lower && { lower }), ...(upper && { upper }) });
  }
  return { equal: new Map(), bounds };
}

function boundsOf({ equal, bounds }: Knowledge): Map<string, Bounds> {
  const all = new Map(bounds);
  for (const [path, keys] of equal) {
    const [lower, upper] = [keys[0], keys.at(-1)];
    if (lower && upper && lower[0] === upper[0]) all.set(path, { rank: lower[0] ?? 0, lower, upper });
  }
  return all;
}
