import {
  type Attributes,
  type Context,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { type InstrumentationScope, isTracingSuppressed } from '@opentelemetry/core';
import { ledger } from '../ledger.ts';
import { newSpanId } from './ids.ts';
import { now } from './server-span.ts';

/** What all spans of one kind of call have in common, made once: it is encoded once too. */
export class ClientSpanShape {
  readonly name: string;
  readonly attributes: Attributes;
  readonly scope: InstrumentationScope;
  readonly kind: SpanKind;
  /** The encoder's. */
  encoded: Buffer | undefined = undefined;

  constructor(scope: InstrumentationScope, name: string, attributes: Attributes, kind: SpanKind = SpanKind.CLIENT) {
    this.scope = scope;
    this.name = name;
    this.attributes = attributes;
    this.kind = kind;
  }
}

/** How a call failed: the code of the semantic conventions' `error.type`, and words without anything that was sent. */
export type ClientSpanFailure = { type: string; message: string };

/** The span of one call to a store, or of a piece of work that calls nobody else (kind INTERNAL). It has no children, so it is never the active one. */
export class ClientSpan {
  readonly shape: ClientSpanShape;
  readonly context: SpanContext;
  readonly parent: SpanContext;
  readonly startMs = now();
  endMs = 0;
  failure: ClientSpanFailure | undefined = undefined;
  /** Of this call alone. */
  attributes: Attributes | undefined = undefined;

  constructor(shape: ClientSpanShape, parent: SpanContext) {
    this.shape = shape;
    this.parent = parent;
    this.context = { traceId: parent.traceId, spanId: newSpanId(), traceFlags: TraceFlags.SAMPLED };
    if (parent.traceState !== undefined) this.context.traceState = parent.traceState;
  }
}

/**
 * The span of a call that begins now; `undefined` where nothing is traced: without a sampled parent, so that a poll or
 * the start makes no trace of its own. A child is sampled as its parent was, which is what every standard sampler decides.
 */
export function startClientSpan(shape: ClientSpanShape, active: Context): ClientSpan | undefined {
  const parent = trace.getSpan(active);
  if (parent === undefined || isTracingSuppressed(active)) return undefined;
  const parentContext = parent.spanContext();
  if ((parentContext.traceFlags & TraceFlags.SAMPLED) === 0) {
    ledger.spans.started++;
    ledger.spans.sampledOut++;
    return undefined;
  }
  if (!parent.isRecording()) return undefined;
  ledger.spans.started++;
  return new ClientSpan(shape, parentContext);
}

/** The attributes that a call has beside those of its kind, with what a failure adds. */
export function callAttributes({ attributes, failure }: ClientSpan): Attributes | undefined {
  return failure === undefined ? attributes : { ...attributes, 'error.type': failure.type };
}

const UNSET: SpanStatus = Object.freeze({ code: SpanStatusCode.UNSET });

export function clientStatus({ failure }: ClientSpan): SpanStatus {
  return failure === undefined ? UNSET : { code: SpanStatusCode.ERROR, message: failure.message };
}
