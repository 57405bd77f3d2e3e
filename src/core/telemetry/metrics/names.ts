/** The three kinds of metric this service writes, in Prometheus' words. */
export type MetricKind = 'counter' | 'gauge' | 'histogram';

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const METRIC_PREFIX = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,99}$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const RESERVED_LABEL = /^(le|quantile|__.*|otel_.*)$/;
const UNIT_WORD = /_(seconds|bytes)$/;

/** Whether `text` may be the prefix in `GET /metrics/{prefix}`: 1 to 100 characters of the metric name grammar. */
export function isMetricPrefix(text: string): boolean {
  return METRIC_PREFIX.test(text);
}

/** Throws a `TypeError` that says the rule when `name` is no Prometheus metric name. */
export function assertMetricName(name: string): void {
  if (typeof name === 'string' && METRIC_NAME.test(name)) return;
  throw new TypeError(`${JSON.stringify(name)} is not a metric name: it must match ${METRIC_NAME.source}`);
}

/** Throws a `TypeError` when a label name is malformed, given twice, or kept for the format and for OpenTelemetry. */
export function assertLabelNames(metric: string, labelNames: readonly string[]): void {
  for (const [index, label] of labelNames.entries()) {
    if (typeof label !== 'string' || !LABEL_NAME.test(label)) {
      throw new TypeError(
        `${metric}: ${JSON.stringify(label)} is not a label name: it must match ${LABEL_NAME.source}`,
      );
    }
    if (RESERVED_LABEL.test(label)) {
      throw new TypeError(`${metric}: label "${label}" is reserved: le, quantile, __… and otel_… cannot be used`);
    }
    if (labelNames.indexOf(label) !== index) throw new TypeError(`${metric}: label "${label}" is given twice`);
  }
}

/** What OpenMetrics calls the family: a counter's name without `_total`. */
export function familyName(kind: MetricKind, name: string): string {
  return kind === 'counter' && name.endsWith('_total') ? name.slice(0, -'_total'.length) : name;
}

const SUFFIXES: Readonly<Record<MetricKind, readonly string[]>> = {
  counter: ['', '_total', '_created'],
  gauge: [''],
  histogram: ['', '_bucket', '_count', '_sum', '_created'],
};

/** Every name a family takes for itself in either format. Two families that share one make a scrape ambiguous. */
export function namesTakenBy(kind: MetricKind, name: string): string[] {
  const family = familyName(kind, name);
  return SUFFIXES[kind].map((suffix) => family + suffix);
}

/** The base unit that one of our own names ends in (before `_total`): `seconds`, `bytes`, or none. */
export function unitWordOf(kind: MetricKind, name: string): 'seconds' | 'bytes' | undefined {
  return UNIT_WORD.exec(familyName(kind, name))?.[1] as 'seconds' | 'bytes' | undefined;
}
