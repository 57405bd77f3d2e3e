import type { Compared } from '../compare.ts';
import { SUBJECTS } from '../subjects.ts';
import { pairedRatio, type Spread } from './statistics.ts';

export type Bar = Spread & { label: string; isOurs: boolean };

const WIDTH = 760;
const LABEL_WIDTH = 250;
const VALUE_WIDTH = 60;
const ROW = 30;
const TOP = 54;
const [OURS, THEIRS] = ['#b4530f', '#8c98a4'];

/** The requests/s of `GET /` of every subject over those of node:http. Empty where that was not measured. */
export function barsOf({ rounds }: Compared): Bar[] {
  const rates = (id: string) => rounds[id]?.map(({ perSecond }) => perSecond) ?? [];
  const raw = rates('raw');
  if (raw.length === 0) return [];
  return SUBJECTS.filter(({ id, path }) => path === '/' && rates(id).length > 0).map(({ id, title, server }) => ({
    label: title,
    isOurs: server.startsWith('okapi'),
    ...pairedRatio(rates(id), raw),
  }));
}

/** A bar for each, with a line from the lowest round to the highest, as SVG. */
export function plot(bars: readonly Bar[], title: string, subtitle: string): string {
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / Math.max(1, ...bars.map(({ max }) => max));
  const height = TOP + bars.length * ROW + 16;
  const rows = bars.map(({ label, isOurs, median, min, max }, index) => {
    const y = TOP + index * ROW;
    const middle = y + ROW / 2;
    const x = (value: number) => (LABEL_WIDTH + value * scale).toFixed(1);
    return [
      `<text x="${LABEL_WIDTH - 10}" y="${middle + 4}" text-anchor="end"${isOurs ? ' font-weight="bold"' : ''}>${escaped(label)}</text>`,
      `<rect x="${LABEL_WIDTH}" y="${y + 5}" width="${(median * scale).toFixed(1)}" height="${ROW - 10}" fill="${isOurs ? OURS : THEIRS}"/>`,
      `<line x1="${x(min)}" y1="${middle}" x2="${x(max)}" y2="${middle}" stroke="#222" stroke-width="1.5"/>`,
      `<text x="${(LABEL_WIDTH + max * scale + 8).toFixed(1)}" y="${middle + 4}">${median.toFixed(2)}</text>`,
    ].join('\n  ');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="system-ui, sans-serif" font-size="13" fill="#222">
  <title>${escaped(title)}</title>
  <rect width="${WIDTH}" height="${height}" fill="#fff"/>
  <text x="16" y="24" font-size="16" font-weight="bold">${escaped(title)}</text>
  <text x="16" y="42" font-size="12" fill="#555">${escaped(subtitle)}</text>
  ${rows.join('\n  ')}
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
