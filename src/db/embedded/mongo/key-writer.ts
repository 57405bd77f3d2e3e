const TERMINATOR = Buffer.from([0, 1]);
const ESCAPED_ZERO = Buffer.from([0, 0xff]);

/** A buffer of order-preserving encodings that grows; `take` copies what was written. */
export class KeyWriter {
  #buffer = Buffer.allocUnsafe(128);
  length = 0;

  #reserve(more: number): number {
    const at = this.length;
    if (at + more > this.#buffer.length) {
      const larger = Buffer.allocUnsafe((at + more) * 2);
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.length += more;
    return at;
  }

  byte(value: number): void {
    const at = this.#reserve(1);
    this.#buffer[at] = value;
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#buffer.set(value, at);
  }

  uint16(value: number): void {
    const at = this.#reserve(2);
    this.#buffer.writeUInt16BE(value, at);
  }

  uint32(value: number): void {
    const at = this.#reserve(4);
    this.#buffer.writeUInt32BE(value, at);
  }

  uint64(value: bigint): void {
    const at = this.#reserve(8);
    this.#buffer.writeBigUInt64BE(value, at);
  }

  int64(value: bigint): void {
    this.uint64(value + 0x8000_0000_0000_0000n);
  }

  /** NaN before everything, and only one zero. */
  double(value: number): void {
    const at = this.#reserve(8);
    if (Number.isNaN(value)) {
      this.#buffer.fill(0, at, at + 8);
      return;
    }
    this.#buffer.writeDoubleBE(value === 0 ? 0 : value, at);
    if (value < 0) this.invertFrom(at);
    else this.#buffer[at] = (this.#buffer[at] ?? 0) | 0x80;
  }

  /** UTF-8 with 0x00 written as 0x00 0xFF, ended by 0x00 0x01. */
  text(value: string): void {
    const [first = '', ...others] = value.split('\0');
    this.bytes(Buffer.from(first, 'utf8'));
    for (const part of others) {
      this.bytes(ESCAPED_ZERO);
      this.bytes(Buffer.from(part, 'utf8'));
    }
    this.bytes(TERMINATOR);
  }

  invertFrom(start: number): void {
    for (let at = start; at < this.length; at++) this.#buffer[at] = 0xff - (this.#buffer[at] ?? 0);
  }

  take(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.length));
  }
}
