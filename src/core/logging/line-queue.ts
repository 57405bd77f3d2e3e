// Handing a batch to the kernel costs as much as its first hundred lines, so under load it is a large one.
const BATCH_LINES = 512;
const BATCH_BYTES = 262_144;
const FIRST_BYTES = 16_384;
/** Buffers that have been written and are kept for lines to come: as many as wait while the thread that writes is behind. */
const MAX_SPARE = 8;
const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);

/** Lines in UTF-8 that are written together, each ending in a newline. At most 512 KiB, as long as no line is over 64 KiB. */
export interface Batch {
  readonly bytes: Buffer;
  readonly lines: number;
}

/**
 * The lines that wait for one destination, at most `maxBytes` of them. When it is full the newest are dropped and
 * counted: what came first is usually what explains the rest.
 *
 * A line becomes bytes when it comes. As text it would be the tree of what it was put together from, which the garbage
 * collector copies about and which is cold by the time it is read again.
 */
export class LineQueue {
  /** Lines taken so far. */
  accepted = 0;
  /** Lines refused, or given up later, so far. */
  dropped = 0;
  /** The part of `dropped` that no line of the log has told about yet. */
  untold = 0;

  readonly #maxBytes: number;
  readonly #sealed: Batch[] = [];
  #sealedBytes = 0;
  #open: Buffer = NOTHING;
  #openBytes = 0;
  #openLines = 0;
  readonly #spare: Buffer[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#sealedBytes + this.#openBytes;
  }

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** Takes a line without its newline. Returns whether that completed a batch. */
  add(line: string): boolean {
    if (this.#sealedBytes + this.#openBytes + line.length > this.#maxBytes) {
      this.drop(1);
      return false;
    }
    this.accepted++;
    // A UTF-16 unit takes at most three bytes of UTF-8.
    const open = this.#openWith(3 * line.length + 1);
    const end = this.#openBytes + open.write(line, this.#openBytes);
    open[end] = NEWLINE;
    this.#openBytes = end + 1;
    if (++this.#openLines < BATCH_LINES && this.#openBytes < BATCH_BYTES) return false;
    this.seal();
    return true;
  }

  /** The memory of the open batch, with room for so many bytes more. */
  #openWith(more: number): Buffer {
    const needed = this.#openBytes + more;
    if (needed <= this.#open.length) return this.#open;
    const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * this.#open.length, needed));
    this.#open.copy(larger, 0, 0, this.#openBytes);
    this.#open = larger;
    return larger;
  }

  /** Makes what has come so far ready to be taken. */
  seal(): void {
    if (this.#openLines === 0) return;
    this.#sealed.push({ bytes: this.#takeOpen(), lines: this.#openLines });
    this.#sealedBytes += this.#openBytes;
    this.#openBytes = 0;
    this.#openLines = 0;
  }

  /** The bytes of the open batch. Few are copied, so that what waits never holds much more memory than it counts. */
  #takeOpen(): Buffer {
    const bytes = this.#open.subarray(0, this.#openBytes);
    if (bytes.length < this.#open.length / 2) return Buffer.from(bytes);
    this.#open = this.#spare.pop() ?? NOTHING;
    return bytes;
  }

  /** The oldest complete batch; it no longer counts as waiting. */
  take(): Batch | undefined {
    const batch = this.#sealed.shift();
    if (batch !== undefined) this.#sealedBytes -= batch.bytes.length;
    return batch;
  }

  /** Takes back the memory of a batch that has been written, for lines to come. Nobody may read it any more. */
  release({ bytes }: Batch): void {
    if (bytes.buffer.byteLength >= BATCH_BYTES && this.#spare.length < MAX_SPARE) {
      this.#spare.push(Buffer.from(bytes.buffer));
    }
  }

  /** Returns a batch that could not be written to the head of the queue. */
  putBack(batch: Batch): void {
    this.#sealed.unshift(batch);
    this.#sealedBytes += batch.bytes.length;
  }

  drop(lines: number): void {
    this.dropped += lines;
    this.untold += lines;
  }

  /** Gives up all that waits, counted as dropped. */
  abandon(): void {
    this.seal();
    for (let batch = this.take(); batch !== undefined; batch = this.take()) this.drop(batch.lines);
  }
}
