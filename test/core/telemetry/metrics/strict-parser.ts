/** One line of a scrape, read back. */
export type Sample = {
  name: string;
  labels: Record<string, string>;
  value: number;
  exemplar?: { labels: Record<string, string>; value: number; timestamp: number };
};

/** One family of a scrape: its metadata and everything that stands below it. */
export type Family = { name: string; type?: string; help?: string; unit?: string; samples: Sample[] };

const NUMBER = '(NaN|[+-]Inf|[+-]?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)';
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\n|\\")*)"(,|\})/;
const AFTER_LABELS = new RegExp(`^ ${NUMBER}(?: # \\{(.*)\\} ${NUMBER} ${NUMBER})?$`);
const ALLOWED: Record<string, string[]> = {
  counter: ['', '_total'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
};

/**
 * Reads a scrape as strictly as its readers do: throws on anything that is not in the grammar, on metadata given twice or
 * after samples, on series given twice, on samples of another family in between, and in OpenMetrics on a missing end, a
 * unit that does not end the name and a counter without `_total`.
 */
export function parseExposition(text: string, format: 'text' | 'openmetrics'): Map<string, Family> {
  const families = new Map<string, Family>();
  const series = new Set<string>();
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last line has no end');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('no # EOF at the end');
  let current: Family | undefined;
  for (const line of lines) {
    const metadata = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) ([^\n]+)$/.exec(line);
    if (metadata !== null) {
      const [, kind = '', name = '', rest = ''] = metadata;
      if (current?.name !== name) {
        if (families.has(name)) throw new Error(`${name} is described twice`);
        current = { name, samples: [] };
        families.set(name, current);
      }
      const key = kind.toLowerCase() as 'help' | 'type' | 'unit';
      if (current[key] !== undefined || current.samples.length > 0) throw new Error(`out of place: ${line}`);
      if (key === 'unit' && (format === 'text' || !name.endsWith(`_${rest}`))) throw new Error(`bad unit: ${line}`);
      current[key] = key === 'help' ? unescaped(rest) : rest;
      continue;
    }
    const sample = parseSample(line);
    const suffix = current === undefined ? undefined : sample.name.slice(current.name.length);
    const suffixes =
      format === 'openmetrics' && current?.type === 'counter' ? ['_total'] : ALLOWED[current?.type ?? ''];
    if (current === undefined || !sample.name.startsWith(current.name) || !suffixes?.includes(suffix ?? '?')) {
      throw new Error(`belongs to no family: ${line}`);
    }
    const id = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    if (series.has(id)) throw new Error(`given twice: ${line}`);
    series.add(id);
    current.samples.push(sample);
  }
  return families;
}

function parseSample(line: string): Sample {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
  if (name === undefined) throw new Error(`not in the grammar: ${line}`);
  const [labels, rest] = parseLabels(line.slice(name.length), line);
  const match = AFTER_LABELS.exec(rest);
  if (match === null) throw new Error(`not in the grammar: ${line}`);
  const [, value = '', exemplarLabels, exemplarValue = '', timestamp = ''] = match;
  const sample: Sample = { name, labels, value: toNumber(value) };
  if (exemplarLabels === undefined) return sample;
  const [found] = parseLabels(`{${exemplarLabels}}`, line);
  return { ...sample, exemplar: { labels: found, value: toNumber(exemplarValue), timestamp: toNumber(timestamp) } };
}

function parseLabels(text: string, line: string): [Record<string, string>, string] {
  if (!text.startsWith('{')) return [{}, text];
  const labels: Record<string, string> = {};
  let rest = text.slice(1);
  for (;;) {
    const match = LABEL.exec(rest);
    if (match === null) throw new Error(`not in the grammar: ${line}`);
    const [whole, name = '', value = '', end] = match;
    if (name in labels) throw new Error(`label given twice: ${line}`);
    labels[name] = unescaped(value);
    rest = rest.slice(whole.length);
    if (end === '}') return [labels, rest];
  }
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([\\n"])/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

function toNumber(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}
