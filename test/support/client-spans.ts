import { context, TraceFlags } from '@opentelemetry/api';
import { AlwaysOnSampler } from '@opentelemetry/sdk-trace';
import { Carrier, contextWith } from '../../src/core/context.ts';
import type { ClientSpan } from '../../src/core/telemetry/spans/client-span.ts';
import { newRootIds } from '../../src/core/telemetry/spans/ids.ts';
import type { JobSpan } from '../../src/core/telemetry/spans/job-span.ts';
import { ServerSpan } from '../../src/core/telemetry/spans/server-span.ts';
import { setTracing } from '../../src/core/telemetry/spans/tracing.ts';

/** Takes the spans of calls from now on, until `setTracing()`; those of jobs too, where a list for them is given. */
export function collectClientSpans(jobs: JobSpan[] = []): ClientSpan[] {
  const spans: ClientSpan[] = [];
  setTracing({
    sampler: new AlwaysOnSampler(),
    enabled: true,
    onEnd: () => undefined,
    onJobEnd: (span) => jobs.push(span),
    onClientEnd: (span) => spans.push(span),
  });
  return spans;
}

/** Does `work` as a request would, under a span that is sampled unless the flags say otherwise. */
export function inRequest<T>(work: () => Promise<T>, traceFlags = TraceFlags.SAMPLED): Promise<T> {
  const parent = { ...newRootIds(), traceFlags };
  const server = new ServerSpan('GET', parent, undefined, undefined, traceFlags === TraceFlags.SAMPLED);
  return context.with(contextWith(new Carrier(), server), work);
}
