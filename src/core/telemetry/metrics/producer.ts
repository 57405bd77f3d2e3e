import { type HrTime, ValueType } from '@opentelemetry/api';
import { type InstrumentationScope, millisToHrTime } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type MetricData,
  type MetricProducer,
  type Histogram as SdkHistogram,
} from '@opentelemetry/sdk-metrics';
import { type CounterChild, type Exemplar, type GaugeChild, HistogramChild } from './children.ts';
import { Histogram, Observable } from './instruments.ts';
import { unitWordOf } from './names.ts';
import { type AnyInstrument, type MetricRegistry, metricRegistry } from './registry.ts';
import { TimeSlice, type TimeSliceOptions } from './time-slice.ts';

/** The scope of our own instruments. The exposition knows them by this very object and changes no name in it. */
export const OKAPI_SCOPE: InstrumentationScope = Object.freeze({ name: 'okapi' });

/** A histogram's point with what the SDK's data model has no place for. */
export type HistogramPoint = DataPoint<SdkHistogram> & { readonly exemplars?: readonly (Exemplar | undefined)[] };

export type ProducerOptions = TimeSliceOptions & {
  readonly registry?: MetricRegistry;
  /**
   * Whether instruments without a series yet are handed on: yes for a scrape, where `HELP` and `TYPE` announce them;
   * no for OTLP, where receivers warn of metrics without points.
   */
  readonly emptyFamilies?: boolean;
};

/** What OpenTelemetry calls the unit at the end of a name; it is told to OTLP receivers and adds nothing to the name. */
const UNITS = { seconds: 's', bytes: 'By', none: '' } as const;
const startTime = millisToHrTime(Date.now() - process.uptime() * 1000);

/** Hands our own instruments to a reader of the OpenTelemetry SDK, cumulative since the process began. */
export class InstrumentProducer implements MetricProducer {
  readonly #registry: MetricRegistry;
  readonly #emptyFamilies: boolean;
  readonly #slicing: TimeSliceOptions;

  constructor({ registry = metricRegistry, emptyFamilies = false, ...slicing }: ProducerOptions = {}) {
    this.#registry = registry;
    this.#emptyFamilies = emptyFamilies;
    this.#slicing = slicing;
  }

  /** Never rejects: what failed is in `errors`. Each series is read in one go, the whole in slices. */
  async collect(): Promise<CollectionResult> {
    const slice = new TimeSlice(this.#slicing);
    const endTime = millisToHrTime(Date.now());
    const metrics: MetricData[] = [];
    const errors: unknown[] = [];
    for (const instrument of this.#registry.instruments()) {
      const points = [];
      for (const series of seriesOf(instrument, (error) => errors.push(error))) {
        points.push(pointOf(series, instrument, endTime));
        if (slice.isSpent()) await slice.rest();
      }
      if (points.length > 0 || this.#emptyFamilies) metrics.push(metricOf(instrument, points));
    }
    return { resourceMetrics: { resource: emptyResource(), scopeMetrics: [{ scope: OKAPI_SCOPE, metrics }] }, errors };
  }
}

function seriesOf(instrument: AnyInstrument, onError: (error: unknown) => void) {
  return instrument instanceof Observable ? instrument.series(onError) : instrument.series();
}

function pointOf(series: CounterChild | GaugeChild | HistogramChild, instrument: AnyInstrument, endTime: HrTime) {
  const common = { startTime, endTime, attributes: series.labels };
  if (!(series instanceof HistogramChild)) return { ...common, value: series.value };
  const { counts, count, sum, exemplars } = series.read();
  const boundaries = instrument instanceof Histogram ? (instrument.buckets as number[]) : [];
  return { ...common, value: { buckets: { boundaries, counts }, count, sum }, exemplars };
}

function metricOf({ shape: { kind, name, help } }: AnyInstrument, points: readonly DataPoint<unknown>[]): MetricData {
  const unit = UNITS[unitWordOf(kind, name) ?? 'none'];
  const descriptor = { name, description: help, unit, valueType: ValueType.DOUBLE };
  const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  if (kind === 'histogram') {
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints: points as HistogramPoint[] };
  }
  const dataPoints = points as DataPoint<number>[];
  if (kind === 'gauge') return { ...common, dataPointType: DataPointType.GAUGE, dataPoints };
  return { ...common, dataPointType: DataPointType.SUM, dataPoints, isMonotonic: true };
}
