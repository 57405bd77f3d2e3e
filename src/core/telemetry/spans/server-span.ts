import {
  type Attributes,
  type AttributeValue,
  type Exception,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
} from '@opentelemetry/api';
import { type InstrumentationScope, millisToHrTime, timeInputToHrTime } from '@opentelemetry/core';
import type { TimedEvent } from '@opentelemetry/sdk-trace';
import type { Carrier } from '../../context.ts';
import { redactText } from '../../logging/redaction.ts';
import { SERVER_SCOPE } from '../scopes.ts';

const MAX_EVENTS = 128;
const MAX_LINKS = 128;

const timeOrigin = performance.timeOrigin;

/** Milliseconds since the epoch on the monotonic clock, with sub-millisecond precision. */
export function now(): number {
  return timeOrigin + performance.now();
}

/** What the telemetry layer learned of the request; the encoders turn it into the HTTP semantic conventions. */
export type RequestFacts = {
  /** A method name of the standard, or `_OTHER`. */
  method: string;
  originalMethod: string | undefined;
  path: string;
  route: string | undefined;
  status: number;
  httpVersion: string;
  clientAddress: string;
  userAgent: string | undefined;
  carrier: Carrier;
  /** Whether the span carries the id of the user. */
  withUserId: boolean;
};

/**
 * The span of one request, made by the telemetry layer itself: the SDK's own would cost more than the rest of the onion.
 * It satisfies the OpenTelemetry `Span` interface, so spans of the SDK hang under it.
 */
export class ServerSpan implements Span {
  name: string;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  recording: boolean;
  /** Milliseconds since the epoch, like `endMs`, which is 0 until the span has ended. */
  readonly startMs: number;
  endMs = 0;
  status: SpanStatus = UNSET;
  /** What others put on the span, over `facts`. */
  attributes: Attributes | undefined = undefined;
  links: Link[] | undefined;
  events: TimedEvent[] | undefined = undefined;
  droppedEvents = 0;
  facts: RequestFacts | undefined = undefined;

  constructor(
    name: string,
    context: SpanContext,
    parent: SpanContext | undefined,
    links: Link[] | undefined,
    recording: boolean,
    startedAt = performance.now(),
  ) {
    this.name = name;
    this.context = context;
    this.parent = parent;
    this.links = links;
    this.recording = recording;
    this.startMs = timeOrigin + startedAt;
  }

  get kind(): SpanKind {
    return SpanKind.SERVER;
  }

  get scope(): InstrumentationScope {
    return SERVER_SCOPE;
  }

  spanContext(): SpanContext {
    return this.context;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (!this.isRecording()) return this;
    this.attributes ??= {};
    this.attributes[key] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    if (this.isRecording()) this.attributes = { ...this.attributes, ...attributes };
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (!this.isRecording()) return this;
    this.events ??= [];
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
    if (!this.isRecording()) return this;
    this.links ??= [];
    if (this.links.length < MAX_LINKS) this.links.push(link);
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
    this.endAt(performance.now());
  }

  /** Ends the span at a time by the clock of `performance.now()`, unless it has ended. */
  endAt(endedAt: number): void {
    if (this.endMs === 0) this.endMs = timeOrigin + endedAt;
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

const UNSET: SpanStatus = Object.freeze({ code: SpanStatusCode.UNSET });

function isTime(value: Attributes | TimeInput | undefined): value is TimeInput {
  return typeof value === 'number' || Array.isArray(value) || value instanceof Date;
}
