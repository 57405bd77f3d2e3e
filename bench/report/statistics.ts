/** Of several rounds: the median, and how far the rounds lie apart. */
export type Spread = { median: number; min: number; max: number };

/** The middle value; of an even number, the mean of the middle two. Throws when there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error('There is no median of nothing');
  return (lower + upper) / 2;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * The ratios of two subjects, round by round: what slows the machine down for a minute slows both down. Rounds that one
 * of them lacks are left out.
 */
export function pairedRatio(of: readonly number[], to: readonly number[]): Spread {
  const rounds = Math.min(of.length, to.length);
  return spreadOf(Array.from({ length: rounds }, (_, round) => (of[round] ?? Number.NaN) / (to[round] ?? Number.NaN)));
}

/** What was measured once has no spread, and is not the same twice. */
const LEAST_SPREAD = 0.02;

/** Whether two spreads, of at least 2 % each, have no value in common: then something has changed, and not only the weather. */
export function areApart(a: Spread, b: Spread): boolean {
  return lowest(a) > highest(b) || lowest(b) > highest(a);
}

function lowest({ median, min }: Spread): number {
  return Math.min(min, median * (1 - LEAST_SPREAD));
}

function highest({ median, max }: Spread): number {
  return Math.max(max, median * (1 + LEAST_SPREAD));
}
