import { logs, metrics, trace } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import { AlwaysOnSampler, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';
import { registerProviders, type Shutdown } from '../../../src/core/telemetry/providers.ts';

const LIMITS = { OTEL_ATTRIBUTE_COUNT_LIMIT: '2', OTEL_SPAN_EVENT_COUNT_LIMIT: '1' };

describe("the SDK's providers", () => {
  const exporter = new InMemorySpanExporter();
  let shutdown: Shutdown;

  beforeEach(() => {
    Object.assign(process.env, LIMITS);
    shutdown = registerProviders({
      resource: emptyResource(),
      sampler: new AlwaysOnSampler(),
      spanProcessors: [new SimpleSpanProcessor({ exporter })],
      metricReaders: [],
      logRecordProcessors: [],
      instrumentations: [],
    });
  });

  afterEach(async () => {
    for (const name of Object.keys(LIMITS)) delete process.env[name];
    await shutdown();
    for (const api of [logs, metrics, trace]) api.disable();
  });

  it('keep to the standard limits of attributes and events', () => {
    const span = trace.getTracer('test').startSpan('work');
    span.setAttributes({ first: 1, second: 2, third: 3 });
    span.addEvent('one').addEvent('two').end();
    const [ended] = exporter.getFinishedSpans();
    expect(ended).to.include({ droppedAttributesCount: 1, droppedEventsCount: 1 });
    expect(Object.keys(ended?.attributes ?? {})).to.deep.equal(['first', 'second']);
  });
});
