import {
  type Attributes,
  type AttributeValue,
  type Exception,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
} from '@opentelemetry/api';
import { type InstrumentationScope, millisToHrTime, timeInputToHrTime } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace';
import { redactText } from '../../logging/redaction.ts';

const SCOPE: InstrumentationScope = { name: 'okapi.http' };
const MAX_EVENTS = 128;

/** Milliseconds since the epoch on the monotonic clock, with sub-millisecond precision. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * The span of one request, made by the telemetry layer itself: as the SDK's own server span would cost more than the
 * rest of the onion. It satisfies the OpenTelemetry `Span` interface, so spans of the SDK hang under it.
 */
export class ServerSpan implements Span {
  name: string;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly recording: boolean;
  readonly startMs: number;
  endMs = 0;
  status: SpanStatus = { code: SpanStatusCode.UNSET };
  readonly attributes: Attributes = {};
  readonly links: Link[];
  readonly events: TimedEvent[] = [];
  droppedEvents = 0;

  constructor(name: string, context: SpanContext, parent: SpanContext | undefined, links: Link[], recording: boolean) {
    this.name = name;
    this.context = context;
    this.parent = parent;
    this.links = links;
    this.recording = recording;
    this.startMs = now();
  }

  spanContext(): SpanContext {
    return this.context;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (this.isRecording()) this.attributes[key] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    if (this.isRecording()) Object.assign(this.attributes, attributes);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (!this.isRecording()) return this;
    if (this.events.length >= MAX_EVENTS) {
      this.droppedEvents++;
      return this;
    }
    const attributes = isTime(attributesOrTime) ? {} : (attributesOrTime ?? {});
    const at = isTime(attributesOrTime) ? attributesOrTime : time;
    this.events.push({ name, attributes, time: at === undefined ? millisToHrTime(now()) : timeInputToHrTime(at) });
    return this;
  }

  addLink(link: Link): this {
    if (this.isRecording()) this.links.push(link);
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  setStatus(status: SpanStatus): this {
    if (this.isRecording()) this.status = status;
    return this;
  }

  updateName(name: string): this {
    if (this.isRecording()) this.name = name;
    return this;
  }

  /** Ends the span; a second call does nothing. */
  end(): void {
    if (this.endMs === 0) this.endMs = now();
  }

  isRecording(): boolean {
    return this.recording && this.endMs === 0;
  }

  /** Adds the `exception` event of the semantic conventions, secrets removed from message and stack. */
  recordException(exception: Exception, time?: TimeInput): void {
    const { name, message, stack } = typeof exception === 'string' ? { message: exception } : (exception as Error);
    this.addEvent(
      'exception',
      {
        'exception.type': String(name ?? 'Error'),
        'exception.message': redactText(String(message ?? '')),
        ...(stack === undefined ? {} : { 'exception.stacktrace': redactText(String(stack)) }),
      },
      time,
    );
  }
}

function isTime(value: Attributes | TimeInput | undefined): value is TimeInput {
  return typeof value === 'number' || Array.isArray(value) || value instanceof Date;
}

/** The ended span in the shape in which the SDK's span processors take it. */
export function toReadableSpan(span: ServerSpan, resource: Resource): ReadableSpan {
  const startTime: HrTime = millisToHrTime(span.startMs);
  return {
    name: span.name,
    kind: SpanKind.SERVER,
    spanContext: () => span.context,
    ...(span.parent === undefined ? {} : { parentSpanContext: span.parent }),
    startTime,
    endTime: millisToHrTime(span.endMs),
    status: span.status,
    attributes: span.attributes,
    links: span.links,
    events: span.events,
    duration: millisToHrTime(span.endMs - span.startMs),
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: span.droppedEvents,
    droppedLinksCount: 0,
  };
}
