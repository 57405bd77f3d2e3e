import { type Attributes, type Link, type SpanContext, SpanKind, type SpanStatus } from '@opentelemetry/api';
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace';
import { AttributeCache, encodeAttributes, writeAttributes } from '../otlp/encode-attributes.ts';
import { writeMillis, writeTime } from '../otlp/encode-time.ts';
import { ProtobufWriter } from '../otlp/protobuf-writer.ts';
import { ByRequestKind } from '../request-kinds.ts';
import { type ClientSpan, type ClientSpanShape, callAttributes, clientStatus } from './client-span.ts';
import { constantAttributes, ownAttributes, spanName } from './request-attributes.ts';
import type { RequestFacts, ServerSpan } from './server-span.ts';

// Field numbers of Span in OTLP trace.proto (opentelemetry-proto 1.x).
const TRACE_ID = 1;
const SPAN_ID = 2;
const TRACE_STATE = 3;
const PARENT_SPAN_ID = 4;
const NAME = 5;
const KIND = 6;
const START = 7;
const END = 8;
const ATTRIBUTES = 9;
const DROPPED_ATTRIBUTES = 10;
const EVENTS = 11;
const DROPPED_EVENTS = 12;
const LINKS = 13;
const DROPPED_LINKS = 14;
const STATUS = 15;
const FLAGS = 16;

/** `spans` in ScopeSpans. */
export const SPANS_FIELD = 2;

const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

const paths = new AttributeCache(ATTRIBUTES, 'url.path');
const addresses = new AttributeCache(ATTRIBUTES, 'client.address');
const userAgents = new AttributeCache(ATTRIBUTES, 'user_agent.original');
const constants = new ByRequestKind<Buffer>(5000);

/** Writes an ended server span as an element of `ScopeSpans.spans`. */
export function writeServerSpan(writer: ProtobufWriter, span: ServerSpan): void {
  const { facts } = span;
  const message = writer.begin(SPANS_FIELD);
  writeIds(writer, span.context, span.parent);
  if (facts === undefined) {
    writer.string(NAME, span.name);
    writeKind(writer, SpanKind.SERVER);
  } else {
    writer.raw(constantPart(facts));
    writer.raw(paths.get(facts.path));
    writer.raw(addresses.get(facts.clientAddress));
    if (facts.userAgent !== undefined) writer.raw(userAgents.get(facts.userAgent));
    const { requestId } = facts.carrier;
    if (requestId !== undefined) writeRequestId(writer, requestId);
    const own = ownAttributes(facts);
    if (own !== undefined) writeAttributes(writer, ATTRIBUTES, own);
  }
  writeMillis(writer, START, span.startMs);
  writeMillis(writer, END, span.endMs);
  if (span.attributes !== undefined) writeAttributes(writer, ATTRIBUTES, span.attributes);
  if (span.events !== undefined) writeEvents(writer, span.events, span.droppedEvents);
  if (span.links !== undefined) writeLinks(writer, span.links, 0);
  writeStatus(writer, span.status);
  writer.fixed32(FLAGS, flagsOf(span.context.traceFlags, span.parent?.isRemote));
  writer.end(message);
}

/** Writes an ended client span as an element of `ScopeSpans.spans`. */
export function writeClientSpan(writer: ProtobufWriter, span: ClientSpan): void {
  const message = writer.begin(SPANS_FIELD);
  writeIds(writer, span.context, span.parent);
  writer.raw(encodedShape(span.shape));
  writeMillis(writer, START, span.startMs);
  writeMillis(writer, END, span.endMs);
  const own = callAttributes(span);
  if (own !== undefined) writeAttributes(writer, ATTRIBUTES, own);
  writeStatus(writer, clientStatus(span));
  writer.fixed32(FLAGS, flagsOf(span.context.traceFlags, span.parent.isRemote));
  writer.end(message);
}

function encodedShape(shape: ClientSpanShape): Buffer {
  shape.encoded ??= encodeShape(shape.name, shape.kind, shape.attributes);
  return shape.encoded;
}

/** Writes an ended span of the SDK. */
export function writeReadableSpan(writer: ProtobufWriter, span: ReadableSpan): void {
  const context = span.spanContext();
  const message = writer.begin(SPANS_FIELD);
  writeIds(writer, context, span.parentSpanContext);
  writer.string(NAME, span.name);
  writeKind(writer, span.kind);
  writeTime(writer, START, span.startTime);
  writeTime(writer, END, span.endTime);
  writeAttributes(writer, ATTRIBUTES, span.attributes);
  writeCount(writer, DROPPED_ATTRIBUTES, span.droppedAttributesCount);
  writeEvents(writer, span.events, span.droppedEventsCount);
  writeLinks(writer, span.links, span.droppedLinksCount);
  writeStatus(writer, span.status);
  writer.fixed32(FLAGS, flagsOf(context.traceFlags, span.parentSpanContext?.isRemote));
  writer.end(message);
}

/** Name, kind and the attributes that a route, method, status and version share, encoded once. */
function constantPart(facts: RequestFacts): Buffer {
  const known = constants.get(facts);
  if (known !== undefined) return known;
  const part = encodeShape(spanName(facts), SpanKind.SERVER, constantAttributes(facts));
  constants.set(facts, part);
  return part;
}

/** What stands before a request id of each length, which is known to be ASCII of at most 128 characters. */
const beforeRequestId: Buffer[] = [];

function writeRequestId(writer: ProtobufWriter, requestId: string): void {
  const { length } = requestId;
  beforeRequestId[length] ??= encodeAttributes(ATTRIBUTES, { 'okapi.request_id': requestId }).subarray(0, -length);
  writer.raw(beforeRequestId[length]);
  writer.ascii(requestId);
}

function encodeShape(name: string, kind: SpanKind, attributes: Attributes): Buffer {
  const writer = new ProtobufWriter(512);
  writer.string(NAME, name);
  writeKind(writer, kind);
  writer.raw(encodeAttributes(ATTRIBUTES, attributes));
  return writer.take();
}

function writeIds(writer: ProtobufWriter, context: SpanContext, parent: SpanContext | undefined): void {
  writer.hex(TRACE_ID, context.traceId);
  writer.hex(SPAN_ID, context.spanId);
  const traceState = context.traceState?.serialize();
  if (traceState) writer.string(TRACE_STATE, traceState);
  if (parent !== undefined) writer.hex(PARENT_SPAN_ID, parent.spanId);
}

function writeKind(writer: ProtobufWriter, kind: SpanKind): void {
  // OTLP counts from 1, the API from 0.
  writer.count(KIND, kind + 1);
}

function writeEvents(writer: ProtobufWriter, events: readonly TimedEvent[], dropped: number): void {
  for (const { time, name, attributes, droppedAttributesCount } of events) {
    const event = writer.begin(EVENTS);
    writeTime(writer, 1, time);
    writer.string(2, name);
    if (attributes !== undefined) writeAttributes(writer, 3, attributes);
    writeCount(writer, 4, droppedAttributesCount ?? 0);
    writer.end(event);
  }
  writeCount(writer, DROPPED_EVENTS, dropped);
}

function writeLinks(writer: ProtobufWriter, links: readonly Link[], dropped: number): void {
  for (const { context, attributes, droppedAttributesCount } of links) {
    const link = writer.begin(LINKS);
    writer.hex(1, context.traceId);
    writer.hex(2, context.spanId);
    const traceState = context.traceState?.serialize();
    if (traceState) writer.string(3, traceState);
    if (attributes !== undefined) writeAttributes(writer, 4, attributes);
    writeCount(writer, 5, droppedAttributesCount ?? 0);
    writer.fixed32(6, flagsOf(context.traceFlags, context.isRemote));
    writer.end(link);
  }
  writeCount(writer, DROPPED_LINKS, dropped);
}

function writeStatus(writer: ProtobufWriter, { code, message }: SpanStatus): void {
  if (code === 0) return;
  const status = writer.begin(STATUS);
  if (message !== undefined) writer.string(2, message);
  writer.count(3, code);
  writer.end(status);
}

function writeCount(writer: ProtobufWriter, field: number, count: number): void {
  if (count !== 0) writer.count(field, count);
}

function flagsOf(traceFlags: number, isRemote: boolean | undefined): number {
  return (traceFlags & 0xff) | HAS_IS_REMOTE | (isRemote ? IS_REMOTE : 0);
}
