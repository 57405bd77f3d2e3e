import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import type { MetricKind } from './names.ts';

/** UCUM units as Prometheus spells them. */
const UNIT_WORDS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '1': '',
  '%': 'percent',
};
const PER_WORDS: Readonly<Record<string, string>> = { s: 'second', min: 'minute', h: 'hour', d: 'day' };

/** The kind a metric of the SDK has in Prometheus; `undefined` where the text formats have none for it. */
export function kindOf(metric: MetricData): MetricKind | undefined {
  if (metric.dataPointType === DataPointType.SUM) return metric.isMonotonic ? 'counter' : 'gauge';
  if (metric.dataPointType === DataPointType.GAUGE) return 'gauge';
  return metric.dataPointType === DataPointType.HISTOGRAM ? 'histogram' : undefined;
}

/**
 * Name and unit by OpenTelemetry's "Prometheus and OpenMetrics Compatibility": `http.server.request.duration` in `s`
 * becomes `http_server_request_duration_seconds`, counters end in `_total`, gauges in `1` in `_ratio`.
 */
export function prometheusName(metric: MetricData, kind: MetricKind): { name: string; unit: string | undefined } {
  let name = sanitize(metric.descriptor.name);
  if (/^\d/.test(name)) name = `_${name}`;
  if (kind === 'counter') name = name.replace(/_total$/, '');
  const unit = unitWords(metric.descriptor.unit, metric.dataPointType === DataPointType.GAUGE);
  if (unit !== '' && !name.endsWith(`_${unit}`)) name += `_${unit}`;
  return { name: kind === 'counter' ? `${name}_total` : name, unit: unit === '' ? undefined : unit };
}

function unitWords(unit: string, isGauge: boolean): string {
  const [main = '', per = ''] = unit.replaceAll(/\{[^}]*\}/g, '').split('/', 2);
  if (main === '1' && per === '' && isGauge) return 'ratio';
  const words = [sanitize(UNIT_WORDS[main] ?? main)];
  if (per !== '') words.push('per', sanitize(PER_WORDS[per] ?? UNIT_WORDS[per] ?? per));
  return words.filter((word) => word !== '').join('_');
}

/**
 * The attributes of a point as labels. Names become Prometheus label names; where two become the same, their values are
 * joined by `;` in the order of the original names. A histogram's own `le` is not to be mistaken for a bucket's.
 */
export function labelsOf(attributes: Attributes, kind: MetricKind): Record<string, string> {
  const labels: Record<string, string> = Object.create(null);
  for (const key of Object.keys(attributes).sort()) {
    const value = attributes[key];
    if (value === undefined) continue;
    const name = labelName(key, kind);
    const text = textOf(value);
    labels[name] = name in labels ? `${labels[name]};${text}` : text;
  }
  return labels;
}

function labelName(key: string, kind: MetricKind): string {
  const name = sanitize(key);
  if (name === 'le' && kind === 'histogram') return 'exported_le';
  return /^\d|^$/.test(name) ? `key_${name}` : name;
}

function textOf(value: AttributeValue): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
}

function sanitize(text: string): string {
  return text.replaceAll(/[^a-zA-Z0-9]+/g, '_');
}
