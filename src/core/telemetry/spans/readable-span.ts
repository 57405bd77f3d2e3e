import { millisToHrTime } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { type ClientSpan, callAttributes, clientStatus } from './client-span.ts';
import { requestAttributes, spanName } from './request-attributes.ts';
import type { ServerSpan } from './server-span.ts';

/** An ended span of a request or a job in the shape in which the SDK's span processors and exporters take it. */
export function toReadableSpan(span: ServerSpan, resource: Resource): ReadableSpan {
  const { facts } = span;
  return {
    name: facts === undefined ? span.name : spanName(facts),
    kind: span.kind,
    spanContext: () => span.context,
    ...(span.parent === undefined ? {} : { parentSpanContext: span.parent }),
    startTime: millisToHrTime(span.startMs),
    endTime: millisToHrTime(span.endMs),
    status: span.status,
    attributes: { ...(facts === undefined ? {} : requestAttributes(facts)), ...span.attributes },
    links: span.links ?? [],
    events: span.events ?? [],
    duration: millisToHrTime(span.endMs - span.startMs),
    ended: true,
    resource,
    instrumentationScope: span.scope,
    droppedAttributesCount: 0,
    droppedEventsCount: span.droppedEvents,
    droppedLinksCount: 0,
  };
}

/** An ended client span in the same shape. */
export function toReadableClientSpan(span: ClientSpan, resource: Resource): ReadableSpan {
  return {
    name: span.shape.name,
    kind: span.shape.kind,
    spanContext: () => span.context,
    parentSpanContext: span.parent,
    startTime: millisToHrTime(span.startMs),
    endTime: millisToHrTime(span.endMs),
    status: clientStatus(span),
    attributes: { ...span.shape.attributes, ...callAttributes(span) },
    links: [],
    events: [],
    duration: millisToHrTime(span.endMs - span.startMs),
    ended: true,
    resource,
    instrumentationScope: span.shape.scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}
