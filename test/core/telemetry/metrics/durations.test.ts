import { expect } from 'chai';
import { Durations } from '../../../../src/core/telemetry/metrics/durations.ts';

describe('a duration of the semantic conventions', () => {
  it('keeps the series that are there when there are too many; all new ones share one', async () => {
    const durations = new Durations('a.duration', 'A duration', { name: 'test' });
    const first = durations.bind({ n: 0 });
    for (let n = 1; n < 2_000; n++) durations.bind({ n });
    const beyond = durations.bind({ n: 2_000 });
    expect(durations.bind({ n: 0 })).to.equal(first);
    expect(durations.bind({ n: 2_001 })).to.equal(beyond);
    const { resourceMetrics } = await durations.collect();
    const points = resourceMetrics.scopeMetrics[0]?.metrics[0]?.dataPoints ?? [];
    expect(points).to.have.length(2_001);
    expect(points.at(-1)?.attributes).to.deep.equal({ 'otel.metric.overflow': true });
  });
});
