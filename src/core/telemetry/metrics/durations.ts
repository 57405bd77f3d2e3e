import { type Attributes, ValueType } from '@opentelemetry/api';
import { type InstrumentationScope, millisToHrTime } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type HistogramMetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { POSTGRES_SCOPE, SERVER_SCOPE } from '../scopes.ts';
import { LATENCY_BUCKETS } from './buckets.ts';
import { HistogramChild } from './children.ts';
import type { HistogramPoint } from './producer.ts';

const MAX_SERIES = 2000;
const OVERFLOW = 'overflow';
const bounds = Float64Array.from(LATENCY_BUCKETS);

type Series = { attributes: Attributes; histogram: HistogramChild };

/**
 * A duration histogram of the semantic conventions, in seconds, kept as plain numbers on an object bound to one set of
 * attributes: the SDK would hash the attributes of every recording.
 */
export class Durations implements MetricProducer {
  readonly #name: string;
  readonly #description: string;
  readonly #scope: InstrumentationScope;
  readonly #series = new Map<string, Series>();
  readonly #startTime = millisToHrTime(Date.now() - process.uptime() * 1000);

  constructor(name: string, description: string, scope: InstrumentationScope) {
    this.#name = name;
    this.#description = description;
    this.#scope = scope;
  }

  /** The histogram of these attributes. Beyond 2,000 sets of them all others share one, as in the SDK. */
  bind(attributes: Attributes): HistogramChild {
    const key = JSON.stringify(attributes);
    const known = this.#series.get(key);
    if (known !== undefined) return known.histogram;
    if (this.#series.size < MAX_SERIES) return this.#add(key, attributes).histogram;
    return (this.#series.get(OVERFLOW) ?? this.#add(OVERFLOW, { 'otel.metric.overflow': true })).histogram;
  }

  #add(key: string, attributes: Attributes): Series {
    const series = { attributes, histogram: new HistogramChild(this.#name, {}, bounds) };
    this.#series.set(key, series);
    return series;
  }

  async collect(): Promise<CollectionResult> {
    const endTime = millisToHrTime(Date.now());
    const dataPoints = [...this.#series.values()].map(({ attributes, histogram }): HistogramPoint => {
      const { counts, count, sum, exemplars } = histogram.read();
      const value = { buckets: { boundaries: [...LATENCY_BUCKETS], counts }, count, sum };
      return { attributes, startTime: this.#startTime, endTime, value, exemplars };
    });
    const metric: HistogramMetricData = {
      descriptor: {
        name: this.#name,
        description: this.#description,
        unit: 's',
        valueType: ValueType.DOUBLE,
      },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints,
    };
    const scopeMetrics = [{ scope: this.#scope, metrics: dataPoints.length === 0 ? [] : [metric] }];
    return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] };
  }
}

/** HTTP semantic conventions, stable. */
export const requestDurations = new Durations(
  'http.server.request.duration',
  'Duration of HTTP server requests.',
  SERVER_SCOPE,
);

/** Database semantic conventions, stable. */
export const statementDurations = new Durations(
  'db.client.operation.duration',
  'Duration of database client operations.',
  POSTGRES_SCOPE,
);
