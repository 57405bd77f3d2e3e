import type { ExpositionFormat } from './text.ts';

type MediaRange = { readonly type: string; readonly version: string | undefined; readonly q: number };
type Match = { readonly q: number; readonly rank: number };

const FORMATS: Readonly<Record<ExpositionFormat, { readonly type: string; readonly version: string }>> = {
  text: { type: 'text/plain', version: '0.0.4' },
  openmetrics: { type: 'application/openmetrics-text', version: '1.0.0' },
};
const NO_MATCH: Match = { q: 0, rank: -1 };

/**
 * Which format an `Accept` header asks for (RFC 9110 §12.5.1): OpenMetrics only where it is preferred, by its quality or,
 * at the same quality, by being named where plain text is only covered by a wildcard. Anything unreadable means text.
 */
export function negotiateFormat(accept: string | undefined): ExpositionFormat {
  const ranges = (accept ?? '').split(',').flatMap(parseRange);
  const text = bestMatch(ranges, 'text');
  const openmetrics = bestMatch(ranges, 'openmetrics');
  if (openmetrics.q === 0) return 'text';
  if (openmetrics.q !== text.q) return openmetrics.q > text.q ? 'openmetrics' : 'text';
  return openmetrics.rank > text.rank ? 'openmetrics' : 'text';
}

/** The most specific range that covers the format decides its quality. */
function bestMatch(ranges: readonly MediaRange[], format: ExpositionFormat): Match {
  let best = NO_MATCH;
  for (const range of ranges) {
    const rank = rankOf(range, format);
    if (rank > best.rank || (rank === best.rank && range.q > best.q)) best = { q: range.q, rank };
  }
  return best;
}

function rankOf(range: MediaRange, format: ExpositionFormat): number {
  const { type, version } = FORMATS[format];
  if (range.type === type) {
    if (range.version === undefined) return 2;
    return range.version === version ? 3 : -1;
  }
  if (range.type === `${type.slice(0, type.indexOf('/'))}/*`) return 1;
  return range.type === '*/*' ? 0 : -1;
}

function parseRange(text: string): MediaRange[] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  if (!/^[^\s/]+\/[^\s/]+$/.test(type)) return [];
  const values = new Map(parameters.map((parameter) => splitOnce(parameter)));
  const quality = values.get('q') ?? '1';
  if (!/^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(quality)) return [];
  return [{ type, version: values.get('version'), q: Number(quality) }];
}

function splitOnce(parameter: string): [string, string] {
  const at = parameter.indexOf('=');
  if (at === -1) return [parameter, ''];
  return [
    parameter.slice(0, at).trim(),
    parameter
      .slice(at + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1'),
  ];
}
