const INITIAL_BYTES = 64 * 1024;
/** A length that is written before it is known takes three bytes; a message may be up to 2 MiB long. */
const RESERVED = 3;
export const MAX_MESSAGE_BYTES = 1 << 21;

/** What a hexadecimal digit stands for, by its code. */
const NIBBLES = Uint8Array.from({ length: 128 }, (_, code) => {
  const nibble = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(nibble) ? 0 : nibble;
});

/**
 * Writes protobuf (https://protobuf.dev/programming-guides/encoding) into one growing buffer. Lengths of nested messages
 * are patched in afterwards as padded varints, so nothing is measured before it is written.
 */
export class ProtobufWriter {
  buffer: Buffer;
  position = 0;

  constructor(bytes = INITIAL_BYTES) {
    this.buffer = Buffer.allocUnsafeSlow(bytes);
  }

  /** What has been written, as a copy; the writer begins anew. */
  take(): Buffer {
    const bytes = Buffer.from(this.buffer.subarray(0, this.position));
    this.position = 0;
    return bytes;
  }

  /** What has been written, without a copy; the writer begins anew in `next`, or in a new buffer of the same size. */
  handOver(next: Buffer = Buffer.allocUnsafeSlow(this.buffer.length)): Buffer {
    const bytes = this.buffer.subarray(0, this.position);
    this.buffer = next;
    this.position = 0;
    return bytes;
  }

  /** Makes room for `bytes` more. */
  ensure(bytes: number): void {
    if (this.position + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.position + bytes));
    this.buffer.copy(larger, 0, 0, this.position);
    this.buffer = larger;
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    this.ensure(10);
    let rest = value;
    while (rest > 0x7f) {
      this.buffer[this.position++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.position++] = rest;
  }

  tag(field: number, wireType: 0 | 1 | 2 | 5): void {
    this.varint((field << 3) | wireType);
  }

  /** A whole number from 0 to 2^53 in a field of its own. */
  count(field: number, value: number): void {
    this.tag(field, 0);
    this.varint(value);
  }

  bytes(field: number, value: Uint8Array): void {
    this.tag(field, 2);
    this.varint(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.ensure(value.length);
    this.buffer.set(value, this.position);
    this.position += value.length;
  }

  /** ASCII text alone, without a field before it. */
  ascii(text: string): void {
    this.ensure(text.length);
    this.position += this.buffer.write(text, this.position, 'latin1');
  }

  /** Text in UTF-8. */
  string(field: number, value: string): void {
    this.tag(field, 2);
    const { length } = value;
    if (length < 40) {
      // At most 120 bytes: the length is one byte, known after writing.
      this.ensure(1 + length * 3);
      const start = this.position++;
      this.position += this.buffer.write(value, this.position);
      this.buffer[start] = this.position - start - 1;
      return;
    }
    const bytes = Buffer.byteLength(value);
    this.varint(bytes);
    this.ensure(bytes);
    this.position += this.buffer.write(value, this.position);
  }

  /** Bytes given as hexadecimal digits, two a byte. */
  hex(field: number, digits: string): void {
    this.tag(field, 2);
    const bytes = digits.length >> 1;
    this.varint(bytes);
    this.ensure(bytes);
    const { buffer } = this;
    let at = this.position;
    // For so few, a call into native code takes longer than the digits.
    for (let index = 0; index < digits.length; index += 2) {
      const high = NIBBLES[digits.charCodeAt(index)] as number;
      buffer[at++] = (high << 4) | (NIBBLES[digits.charCodeAt(index + 1)] as number);
    }
    this.position = at;
  }

  fixed32(field: number, value: number): void {
    this.tag(field, 5);
    this.ensure(4);
    this.#uint32(value);
  }

  /** A 64-bit number as its two halves. */
  fixed64(field: number, high: number, low: number): void {
    this.tag(field, 1);
    this.ensure(8);
    this.#uint32(low);
    this.#uint32(high);
  }

  #uint32(value: number): void {
    const { buffer, position } = this;
    buffer[position] = value;
    buffer[position + 1] = value >>> 8;
    buffer[position + 2] = value >>> 16;
    buffer[position + 3] = value >>> 24;
    this.position = position + 4;
  }

  double(field: number, value: number): void {
    this.tag(field, 1);
    this.ensure(8);
    this.position = this.buffer.writeDoubleLE(value, this.position);
  }

  /** An `int64` field, negative values included. */
  int64(field: number, value: number): void {
    this.tag(field, 0);
    if (value >= 0 && Number.isSafeInteger(value)) {
      this.varint(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    this.ensure(10);
    while (rest > 0x7fn) {
      this.buffer[this.position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.position++] = Number(rest);
  }

  /** Begins a nested message; hand the result to `end`. */
  begin(field: number): number {
    this.tag(field, 2);
    this.ensure(RESERVED);
    this.position += RESERVED;
    return this.position;
  }

  /** Ends the nested message that began at `start`. */
  end(start: number): void {
    const length = this.position - start;
    if (length >= MAX_MESSAGE_BYTES) throw new RangeError(`A message of ${length} bytes is too long to encode`);
    this.buffer[start - 3] = (length & 0x7f) | 0x80;
    this.buffer[start - 2] = ((length >> 7) & 0x7f) | 0x80;
    this.buffer[start - 1] = length >> 14;
  }
}
