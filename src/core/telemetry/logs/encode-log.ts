import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { writeAttributes, writeValue } from '../otlp/encode-attributes.ts';
import { writeTime } from '../otlp/encode-time.ts';
import type { ProtobufWriter } from '../otlp/protobuf-writer.ts';

// Field numbers of LogRecord in OTLP logs.proto (opentelemetry-proto 1.x).
const TIME = 1;
const SEVERITY_NUMBER = 2;
const SEVERITY_TEXT = 3;
const BODY = 5;
const ATTRIBUTES = 6;
const DROPPED_ATTRIBUTES = 7;
const FLAGS = 8;
const TRACE_ID = 9;
const SPAN_ID = 10;
const OBSERVED_TIME = 11;
const EVENT_NAME = 12;

/** `log_records` in ScopeLogs. */
const RECORDS_FIELD = 2;

/** Writes a log record as an element of `ScopeLogs.log_records`. */
export function writeLogRecord(writer: ProtobufWriter, record: ReadableLogRecord): void {
  const { severityNumber, severityText, body, spanContext, droppedAttributesCount, eventName } = record;
  const message = writer.begin(RECORDS_FIELD);
  writeTime(writer, TIME, record.hrTime);
  if (severityNumber) writer.count(SEVERITY_NUMBER, severityNumber);
  if (severityText) writer.string(SEVERITY_TEXT, severityText);
  if (body !== undefined) {
    const value = writer.begin(BODY);
    writeValue(writer, body);
    writer.end(value);
  }
  writeAttributes(writer, ATTRIBUTES, record.attributes);
  if (droppedAttributesCount) writer.count(DROPPED_ATTRIBUTES, droppedAttributesCount);
  if (spanContext !== undefined) {
    if (spanContext.traceFlags) writer.fixed32(FLAGS, spanContext.traceFlags);
    writer.hex(TRACE_ID, spanContext.traceId);
    writer.hex(SPAN_ID, spanContext.spanId);
  }
  writeTime(writer, OBSERVED_TIME, record.hrTimeObserved);
  if (eventName) writer.string(EVENT_NAME, eventName);
  writer.end(message);
}
