import { SpanKind } from '@opentelemetry/api';
import { millisToHrTime } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { POSTGRES_SCOPE, SERVER_SCOPE } from '../scopes.ts';
import { type ClientSpan, clientStatus, failureAttributes } from './client-span.ts';
import { requestAttributes, spanName } from './request-attributes.ts';
import type { ServerSpan } from './server-span.ts';

/** An ended server span in the shape in which the SDK's span processors and exporters take it. */
export function toReadableSpan(span: ServerSpan, resource: Resource): ReadableSpan {
  const { facts } = span;
  return {
    name: facts === undefined ? span.name : spanName(facts),
    kind: SpanKind.SERVER,
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
    instrumentationScope: SERVER_SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: span.droppedEvents,
    droppedLinksCount: 0,
  };
}

/** An ended client span in the same shape. */
export function toReadableClientSpan(span: ClientSpan, resource: Resource): ReadableSpan {
  return {
    name: span.shape.name,
    kind: SpanKind.CLIENT,
    spanContext: () => span.context,
    parentSpanContext: span.parent,
    startTime: millisToHrTime(span.startMs),
    endTime: millisToHrTime(span.endMs),
    status: clientStatus(span),
    attributes: { ...span.shape.attributes, ...failureAttributes(span) },
    links: [],
    events: [],
    duration: millisToHrTime(span.endMs - span.startMs),
    ended: true,
    resource,
    instrumentationScope: POSTGRES_SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}
