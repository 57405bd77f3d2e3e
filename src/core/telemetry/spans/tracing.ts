import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { AlwaysOnSampler, ParentBasedSampler, type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import { ledger } from '../ledger.ts';
import { type ClientSpan, type ClientSpanFailure, type ClientSpanShape, startClientSpan } from './client-span.ts';
import { newRootIds, newSpanId } from './ids.ts';
import { JobSpan, undecidedJobOf, type Verdict } from './job-span.ts';
import { now, ServerSpan } from './server-span.ts';

/** What makes and takes our own spans. Set once by the SDK's start; until then spans carry ids and go nowhere. */
export type Tracing = {
  readonly sampler: Sampler;
  /** Whether spans are recorded at all (`OTEL_SDK_DISABLED`). */
  readonly enabled: boolean;
  /** Takes an ended span. */
  readonly onEnd: (span: ServerSpan) => void;
  /** Takes an ended span of a call to a store, or of a hash. */
  readonly onClientEnd: (span: ClientSpan) => void;
  /** Takes the ended span of a run of a background job. */
  readonly onJobEnd: (span: JobSpan) => void;
};

const SILENT: Tracing = {
  sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  enabled: false,
  onEnd: () => undefined,
  onClientEnd: () => undefined,
  onJobEnd: () => undefined,
};
let tracing = SILENT;

/** Sets where server spans go; without an argument, back to nowhere (for tests). */
export function setTracing(next: Tracing = SILENT): void {
  tracing = next;
}

/**
 * Starts the span of a request, at a time by the clock of `performance.now()`; `attributes` are what a sampler may go by.
 * `parentContext` holds the remote parent that is continued, if any; a caller that is not to be followed is given as
 * `linked` instead, so that a stranger can neither force nor switch off sampling.
 */
export function startServerSpan(
  name: string,
  attributes: Attributes,
  startedAt: number,
  parentContext: Context = ROOT_CONTEXT,
  linked?: SpanContext,
): ServerSpan {
  const parent = trace.getSpanContext(parentContext);
  const { traceId, spanId } = parent === undefined ? newRootIds() : { traceId: parent.traceId, spanId: newSpanId() };
  const links = linked === undefined ? undefined : [{ context: linked }];
  const decision = tracing.enabled
    ? tracing.sampler.shouldSample(parentContext, traceId, name, SpanKind.SERVER, attributes, links ?? [])
    : undefined;
  const sampled = decision?.decision === SamplingDecision.RECORD_AND_SAMPLED;
  ledger.spans.started++;
  if (!sampled) ledger.spans.sampledOut++;
  const recording = sampled || decision?.decision === SamplingDecision.RECORD;
  const traceState = decision?.traceState ?? parent?.traceState;
  const spanContext: SpanContext = {
    traceId,
    spanId,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
  };
  if (traceState !== undefined) spanContext.traceState = traceState;
  const span = new ServerSpan(name, spanContext, parent, links, recording, startedAt);
  if (decision?.attributes !== undefined) span.setAttributes(decision.attributes);
  return span;
}

/**
 * Samples a span from now on, where its trace begins here; one that is continued stays as its caller decided. What was
 * done under it before is not in the trace. Returns whether the trace is sampled by this process's own decision.
 */
export function sampleFromNow(span: ServerSpan): boolean {
  if (!tracing.enabled || span.parent !== undefined) return false;
  if ((span.context.traceFlags & TraceFlags.SAMPLED) === 0) ledger.spans.sampledLater++;
  span.recording = true;
  span.context.traceFlags |= TraceFlags.SAMPLED;
  return true;
}

/**
 * Starts the span of a run of a background job: a trace of its own, linked to whoever began the run, if that is traced.
 * `undefined` for a run that is not sampled.
 */
export function startJobSpan(name: string, startedBy: SpanContext | undefined): JobSpan | undefined {
  const ids = newRootIds();
  const links = startedBy === undefined ? undefined : [{ context: startedBy }];
  const attributes = { 'okapi.job_name': name };
  const decision = tracing.enabled
    ? tracing.sampler.shouldSample(ROOT_CONTEXT, ids.traceId, name, SpanKind.INTERNAL, attributes, links ?? [])
    : undefined;
  if (decision?.decision !== SamplingDecision.RECORD_AND_SAMPLED) return undefined;
  const spanContext: SpanContext = { ...ids, traceFlags: TraceFlags.SAMPLED };
  if (decision.traceState !== undefined) spanContext.traceState = decision.traceState;
  return new JobSpan(name, spanContext, links).setAttributes({ ...decision.attributes, ...attributes });
}

/** Ends the span of a run, and hands it on when it was sampled and had something to do. */
export function endJobSpan(span: JobSpan, hadWork: Verdict): void {
  if (span.conclude(hadWork)) tracing.onJobEnd(span);
}

/** Ends the span and hands it on when it was sampled. */
export function endServerSpan(span: ServerSpan): void {
  span.end();
  if (span.context.traceFlags & TraceFlags.SAMPLED) tracing.onEnd(span);
}

/**
 * Ends the span of a call, with what went wrong, and hands it on; below a background job once that had something to do,
 * which a call shows that is no mere look (`isWork`) or failed. Returns whether it was handed on by now.
 */
export function endClientSpan(span: ClientSpan, failure?: ClientSpanFailure, isWork = true): boolean {
  span.endMs = now();
  span.failure = failure;
  const job = undecidedJobOf(span.context.traceId);
  if (job === undefined) {
    tracing.onClientEnd(span);
    return true;
  }
  const decides = isWork || failure !== undefined;
  job.hold(() => tracing.onClientEnd(span), decides);
  return decides;
}

/**
 * Does `work` under a span of its own where there is a sampled parent; `failureOf` says how it failed, without what was
 * sent. `isWork` as in `endClientSpan`. No async function: a thousand requests may wait in here at a time.
 */
export function inClientSpan<T>(
  shape: ClientSpanShape,
  work: (span: ClientSpan | undefined) => Promise<T>,
  failureOf: (error: unknown) => ClientSpanFailure,
  isWork = true,
): Promise<T> {
  const span = startClientSpan(shape, context.active());
  if (span === undefined) return work(undefined);
  return work(span).then(
    (result) => {
      endClientSpan(span, undefined, isWork);
      return result;
    },
    (error: unknown) => {
      endClientSpan(span, failureOf(error));
      throw error;
    },
  );
}
