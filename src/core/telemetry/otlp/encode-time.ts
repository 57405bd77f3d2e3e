import type { HrTime } from '@opentelemetry/api';
import type { ProtobufWriter } from './protobuf-writer.ts';

/** Writes a time of the SDK, seconds and nanoseconds since the epoch, as `fixed64` nanoseconds. */
export function writeTime(writer: ProtobufWriter, field: number, [seconds, nanos]: HrTime): void {
  writeNanos(writer, field, seconds, nanos);
}

/** Writes milliseconds since the epoch as `fixed64` nanoseconds. */
export function writeMillis(writer: ProtobufWriter, field: number, ms: number): void {
  const seconds = Math.floor(ms / 1000);
  writeNanos(writer, field, seconds, Math.round((ms - seconds * 1000) * 1e6));
}

const TWO_TO_32 = 2 ** 32;
let second = -1;
let secondHigh = 0;
let secondLow = 0;

/** Nanoseconds since the epoch need 61 bits, more than a number has: the seconds' part is kept as two halves. */
function writeNanos(writer: ProtobufWriter, field: number, seconds: number, nanos: number): void {
  if (seconds !== second) {
    const base = BigInt(seconds) * 1_000_000_000n;
    second = seconds;
    secondHigh = Number(base >> 32n);
    secondLow = Number(base & 0xffffffffn);
  }
  const low = secondLow + nanos;
  writer.fixed64(field, low >= TWO_TO_32 ? secondHigh + 1 : secondHigh, low);
}
