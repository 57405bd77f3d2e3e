import protobuf from 'protobufjs';

type Reader = protobuf.Reader;
export type SpanIdentity = { idHigh: number; idLow: number; kind: number };

export const SERVER_KIND = 2;

const LENGTH_DELIMITED = 2;
const SPAN_ID = 2;
const SPAN_KIND = 6;

/**
 * Reads who the spans of an OTLP trace request are, and skips all else: resource_spans (1), scope_spans (2), spans (2).
 * Throws on what is no such message.
 */
export function readSpans(body: Buffer, take: (span: SpanIdentity) => void): void {
  eachRecord(body, (reader, end) => take(readSpan(body, reader, end)));
}

/** The number of log records in an OTLP logs request, whose messages are nested as those of traces are. */
export function countLogRecords(body: Buffer): number {
  let count = 0;
  eachRecord(body, () => {
    count++;
  });
  return count;
}

function eachRecord(body: Buffer, take: (reader: Reader, end: number) => void): void {
  const reader = protobuf.Reader.create(body);
  eachMessage(reader, body.length, 1, (endOfResource) =>
    eachMessage(reader, endOfResource, 2, (endOfScope) =>
      eachMessage(reader, endOfScope, 2, (endOfRecord) => take(reader, endOfRecord)),
    ),
  );
}

/** Calls `take` at the beginning of every message in field `wanted`, with where it ends. */
function eachMessage(reader: Reader, end: number, wanted: number, take: (end: number) => void): void {
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === ((wanted << 3) | LENGTH_DELIMITED)) {
      const length = reader.uint32();
      const endOfMessage = reader.pos + length;
      if (endOfMessage > end) throw new RangeError('A message is longer than what holds it');
      take(endOfMessage);
      reader.pos = endOfMessage;
    } else {
      reader.skipType(tag & 7);
    }
  }
}

function readSpan(body: Buffer, reader: Reader, end: number): SpanIdentity {
  const span = { idHigh: 0, idLow: 0, kind: 0 };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === SPAN_ID) {
      if (reader.uint32() !== 8) throw new RangeError('A span id has 8 bytes');
      span.idHigh = body.readUInt32BE(reader.pos);
      span.idLow = body.readUInt32BE(reader.pos + 4);
      reader.pos += 8;
    } else if (tag >>> 3 === SPAN_KIND) {
      span.kind = reader.uint32();
    } else {
      reader.skipType(tag & 7);
    }
  }
  return span;
}
