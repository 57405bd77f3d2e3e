import type { Attributes } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  MeterProvider,
  type MetricData,
  MetricReader,
  type ResourceMetrics,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import { type ExpositionOptions, renderExposition } from '../../../../src/core/telemetry/metrics/exposition.ts';
import { InstrumentProducer } from '../../../../src/core/telemetry/metrics/producer.ts';
import type { MetricRegistry } from '../../../../src/core/telemetry/metrics/registry.ts';

class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** A meter provider of the SDK and the reader that collects from it and from `registry`. */
export function sdkWith(registry: MetricRegistry) {
  const reader = new ManualReader({ metricProducers: [new InstrumentProducer({ registry, emptyFamilies: true })] });
  return { reader, provider: new MeterProvider({ readers: [reader] }) };
}

/** What the SDK would hand over with these scopes. */
export function resourceMetrics(...scopeMetrics: ScopeMetrics[]): ResourceMetrics {
  return { resource: emptyResource(), scopeMetrics };
}

/** One metric of a foreign scope with one point for each set of attributes. */
export function foreign(
  name: string,
  kind: 'sum' | 'updown' | 'gauge',
  { unit = '', description = 'A metric', attributes = [{}] as Attributes[], value = 1 } = {},
): MetricData {
  const common = {
    descriptor: { name, description, unit, valueType: 1 },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPoints: attributes.map((each) => ({
      startTime: [0, 0] as [number, number],
      endTime: [1, 0] as [number, number],
      attributes: each,
      value,
    })),
  };
  if (kind === 'gauge') return { ...common, dataPointType: DataPointType.GAUGE };
  return { ...common, dataPointType: DataPointType.SUM, isMonotonic: kind === 'sum' };
}

/** The whole text of a rendering. */
export async function renderAll(collected: ResourceMetrics, options: ExpositionOptions): Promise<string> {
  return (await Array.fromAsync(renderExposition(collected, options))).join('');
}

/** The whole text of what is in `registry`. */
export async function renderRegistry(registry: MetricRegistry, options: ExpositionOptions): Promise<string> {
  const { resourceMetrics } = await new InstrumentProducer({ registry, emptyFamilies: true }).collect();
  return renderAll(resourceMetrics, options);
}
