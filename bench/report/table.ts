import type { Compared } from '../compare.ts';
import { RAW, SUBJECTS } from '../subjects.ts';
import type { Judgement } from './judge.ts';
import { median, pairedRatio, spreadOf } from './statistics.ts';

const MIB = 1024 ** 2;
const HEAD = ['', 'requests/s (min - max)', 'of node:http', 'CPU µs', 'p50 ms', 'p99 ms', 'RSS MiB', 'traced'];

/** What each subject did, as lines for a terminal. */
export function comparisonTable({ rounds, tracedShare }: Compared): string[] {
  const rows = SUBJECTS.flatMap(({ id, title, path, server }) => {
    const own = rounds[id] ?? [];
    if (own.length === 0) return [];
    const raw = rounds[RAW[path]]?.map(({ perSecond }) => perSecond) ?? [];
    const rates = own.map(({ perSecond }) => perSecond);
    const { median: rate, min, max } = spreadOf(rates);
    const middle = (values: readonly (number | undefined)[], digits: number) => {
      const known = values.filter((value) => value !== undefined);
      return known.length === 0 ? '-' : median(known).toFixed(digits);
    };
    const share = tracedShare[server];
    return [
      [
        title,
        `${rate.toFixed(0)} (${min.toFixed(0)} - ${max.toFixed(0)})`,
        raw.length === 0 ? '-' : pairedRatio(rates, raw).median.toFixed(2),
        middle(
          own.map(({ cpuMicroseconds }) => cpuMicroseconds),
          1,
        ),
        middle(
          own.map(({ p50Ms }) => p50Ms),
          2,
        ),
        middle(
          own.map(({ p99Ms }) => p99Ms),
          2,
        ),
        middle(
          own.map(({ residentBytes }) => residentBytes && residentBytes / MIB),
          0,
        ),
        share === undefined ? '-' : `${Math.floor(share * 1000) / 10} %`,
      ],
    ];
  });
  return columns([HEAD, ...rows]);
}

/** Each target, what was measured, and whether it is kept. */
export function targetTable(judgements: readonly Judgement[]): string[] {
  const rows = judgements.map(({ title, median, min, max, atLeast, atMost, isMet }) => [
    title,
    `${figure(median)} (${figure(min)} - ${figure(max)})`,
    atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`,
    isMet ? 'kept' : 'MISSED',
  ]);
  return columns([['', 'median (min - max)', 'target', ''], ...rows]);
}

/** Small numbers with two digits behind the point, large ones without. */
export function figure(value: number): string {
  return value.toFixed(Math.abs(value) < 100 ? 2 : 0);
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
