import type { DataPoint, Histogram, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Exemplar } from './children.ts';
import { type ExposedFamily, exposedFamilies, type OnLeftOut } from './exposed-families.ts';
import { reportLeftOut } from './left-out.ts';
import { labelsOf } from './otel-names.ts';
import type { HistogramPoint } from './producer.ts';
import { boundText, type ExpositionFormat, escapeHelp, escapeQuoted, labelText, numberText } from './text.ts';
import { TimeSlice, type TimeSliceOptions } from './time-slice.ts';

/** Characters after which a piece is handed on. */
const CHUNK_LENGTH = 32_768;

export type ExpositionOptions = TimeSliceOptions & {
  readonly format: ExpositionFormat;
  /** Only families whose name begins so; a counter is found by its name with `_total` in both formats. */
  readonly prefix?: string;
  readonly onLeftOut?: OnLeftOut;
};

/**
 * Writes what a reader collected, piece by piece, and gives the event loop back after every slice of work, so that a
 * large scrape holds up no request. Our own instruments keep their names and labels to the letter; the SDK's are mapped.
 * A value that its kind cannot have (a counter that is NaN) is left out.
 */
export async function* renderExposition(
  collected: ResourceMetrics,
  options: ExpositionOptions,
): AsyncGenerator<string> {
  const { format, prefix = '', onLeftOut = reportLeftOut, ...slicing } = options;
  const slice = new TimeSlice(slicing);
  let chunk = '';
  for (const family of exposedFamilies(collected, prefix, onLeftOut)) {
    const points = family.metrics.flatMap((metric): DataPoint<unknown>[] => metric.dataPoints);
    if (points.length === 0 && !family.isOwn) continue;
    chunk += headOf(family, format);
    const shown = new Set<string>();
    for (const point of points) {
      const labels = labelText(family.isOwn ? point.attributes : labelsOf(point.attributes, family.kind));
      // Two scopes may measure the same thing under the same labels; a second line of it would be refused.
      if (family.isOwn || !shown.has(labels)) chunk += linesOf(family, point, labels, format);
      if (!family.isOwn) shown.add(labels);
      const isSpent = slice.isSpent();
      if (isSpent || chunk.length >= CHUNK_LENGTH) {
        yield chunk;
        chunk = '';
      }
      if (isSpent) await slice.rest();
    }
  }
  if (format === 'openmetrics') chunk += '# EOF\n';
  if (chunk !== '') yield chunk;
}

function headOf({ name, family, kind, help, unit }: ExposedFamily, format: ExpositionFormat): string {
  if (format === 'text') return `# HELP ${name} ${escapeHelp(help, format)}\n# TYPE ${name} ${kind}\n`;
  // Prometheus refuses a whole scrape for a unit that does not end the name.
  const unitLine = unit !== undefined && family.endsWith(`_${unit}`) ? `# UNIT ${family} ${unit}\n` : '';
  return `# HELP ${family} ${escapeHelp(help, format)}\n# TYPE ${family} ${kind}\n${unitLine}`;
}

function linesOf(family: ExposedFamily, point: DataPoint<unknown>, labels: string, format: ExpositionFormat): string {
  if (family.kind === 'histogram') {
    return histogramLines(family.name, point as HistogramPoint, labels, format);
  }
  const value = point.value as number;
  if (family.kind === 'counter' && !(value >= 0)) return '';
  const name = family.kind === 'counter' && format === 'openmetrics' ? `${family.family}_total` : family.name;
  return `${name}${labels === '' ? '' : `{${labels}}`} ${numberText(value)}\n`;
}

function histogramLines(name: string, point: HistogramPoint, labels: string, format: ExpositionFormat): string {
  const { buckets, sum, count }: Histogram = point.value;
  if (sum !== undefined && !(sum >= 0)) return '';
  const before = `${name}_bucket{${labels}${labels === '' ? '' : ','}le="`;
  let lines = '';
  let cumulative = 0;
  for (const [index, inBucket] of buckets.counts.entries()) {
    cumulative += inBucket;
    const exemplar = format === 'openmetrics' ? exemplarText(point.exemplars?.[index]) : '';
    lines += `${before}${boundText(buckets.boundaries[index] ?? Infinity)}"} ${cumulative}${exemplar}\n`;
  }
  const own = labels === '' ? '' : `{${labels}}`;
  if (sum !== undefined) lines += `${name}_sum${own} ${numberText(sum)}\n`;
  return `${lines}${name}_count${own} ${count}\n`;
}

function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return '';
  const { traceId, spanId, value, timestampMs } = exemplar;
  const span = `trace_id="${escapeQuoted(traceId)}",span_id="${escapeQuoted(spanId)}"`;
  return ` # {${span}} ${numberText(value)} ${(timestampMs / 1000).toFixed(3)}`;
}
