/** One promise and what was seen of it. */
export type Finding = { what: string; seen: string; target: string; holds: boolean };

/** The value below which a share of all stands; 0 of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function finding(what: string, seen: string, target: string, holds: boolean): Finding {
  return { what, seen, target, holds };
}

export function limit(what: string, seen: number, most: number, unit: string): Finding {
  const text = (value: number) => `${Math.round(value * 100) / 100} ${unit}`.trim();
  return finding(what, text(seen), `at most ${text(most)}`, seen <= most);
}

/** Says each finding on a line; returns the exit code, 1 where one does not hold. */
export function sayFindings(findings: readonly Finding[], say: (line: string) => void): 0 | 1 {
  say('');
  for (const { what, seen, target, holds } of findings) {
    say(`${holds ? 'holds ' : 'MISSED'}  ${what.padEnd(58)} ${seen.padEnd(28)} ${target}`);
  }
  return findings.every(({ holds }) => holds) ? 0 : 1;
}
