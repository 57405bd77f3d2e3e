import { LATENCY_BUCKETS } from './buckets.ts';
import type { Counter, Gauge, Histogram } from './instruments.ts';
import { assertMetricName } from './names.ts';
import { type MetricRegistry, metricRegistry } from './registry.ts';

const PREFIX = 'domain_';

/** The one door through which domains register metrics. */
export type PrometheusDoor = {
  /**
   * Registers a counter. End its name in `_total`, as Prometheus' linter asks for. Without it the text format shows the
   * name as it is, and OpenMetrics, which knows no other counters, shows the series with `_total` added.
   *
   * Here as below: a `TypeError` tells of a malformed name, help or label; the same name with the same help, labels and
   * buckets gives the same instrument, with others an `Error` is thrown.
   */
  registerCounter<const L extends string = never>(name: string, help: string, labelNames?: readonly L[]): Counter<L>;
  /** Registers a gauge. Do not end its name in `_count`, `_sum`, `_bucket` or `_total`: Prometheus' linter refuses it. */
  registerGauge<const L extends string = never>(name: string, help: string, labelNames?: readonly L[]): Gauge<L>;
  /** Registers a histogram of values of at least 0. `buckets` are ascending inclusive upper bounds, without +Inf. */
  registerHistogram<const L extends string = never>(
    name: string,
    help: string,
    labelNames?: readonly L[],
    options?: { readonly buckets: readonly number[] },
  ): Histogram<L>;
};

/** A door to `registry` that lets in only names which begin with `domain_`. */
export function createPrometheusDoor(registry: MetricRegistry): PrometheusDoor {
  return {
    registerCounter(name, help, labelNames = []) {
      assertDomainName(name);
      return registry.counter(name, help, labelNames);
    },
    registerGauge(name, help, labelNames = []) {
      assertDomainName(name);
      return registry.gauge(name, help, labelNames);
    },
    registerHistogram(name, help, labelNames = [], options = { buckets: LATENCY_BUCKETS }) {
      assertDomainName(name);
      return registry.histogram(name, help, labelNames, options);
    },
  };
}

function assertDomainName(name: string): void {
  assertMetricName(name);
  if (name.startsWith(PREFIX) && name.length > PREFIX.length) return;
  throw new TypeError(`${name}: the names of domain metrics begin with "${PREFIX}", such as ${PREFIX}${name}`);
}

/** The door to the metrics of this process. */
export const prometheus: PrometheusDoor = createPrometheusDoor(metricRegistry);
