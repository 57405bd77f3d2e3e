import { type Fields, isFields } from './documents.ts';
import { encodeKey, rankOf } from './key-encoding.ts';

/** What a filter says about one field, in ascending key bytes. */
export interface Bounds {
  rank: number;
  lower?: Buffer;
  upper?: Buffer;
}

export interface Knowledge {
  /** Keys one of which the field must have. */
  equal: Map<string, Buffer[]>;
  bounds: Map<string, Bounds>;
}

/** Reads from a filter what must hold for each of its documents; only what an index can use. */
export function learn(condition: Fields): Knowledge {
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
