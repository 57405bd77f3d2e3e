// Handing a batch to the kernel costs as much as its first hundred lines, so under load it is a large one.
const BATCH_LINES = 256;
const BATCH_CHARACTERS = 131_072;

/** Lines that are written together, each ending in a newline. At most 512 KiB, as long as no line is over 64 KiB. */
export interface Batch {
  readonly text: string;
  readonly bytes: number;
  readonly lines: number;
}

/**
 * The lines that wait for one destination, at most `maxBytes` of them. When it is full the newest are dropped and
 * counted: what came first is usually what explains the rest.
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
  #open = '';
  #openLines = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that wait; those of the batch still open are estimated by its characters. */
  get bytes(): number {
    return this.#sealedBytes + this.#open.length;
  }

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** Takes a line without its newline. Returns whether that completed a batch. */
  add(line: string): boolean {
    if (this.#sealedBytes + this.#open.length + line.length > this.#maxBytes) {
      this.drop(1);
      return false;
    }
    this.accepted++;
    this.#open += `${line}\n`;
    if (++this.#openLines < BATCH_LINES && this.#open.length < BATCH_CHARACTERS) return false;
    this.seal();
    return true;
  }

  /** Makes what has come so far ready to be taken. */
  seal(): void {
    if (this.#openLines === 0) return;
    const bytes = Buffer.byteLength(this.#open);
    this.#sealed.push({ text: this.#open, bytes, lines: this.#openLines });
    this.#sealedBytes += bytes;
    this.#open = '';
    this.#openLines = 0;
  }

  /** The oldest complete batch; it no longer counts as waiting. */
  take(): Batch | undefined {
    const batch = this.#sealed.shift();
    if (batch !== undefined) this.#sealedBytes -= batch.bytes;
    return batch;
  }

  /** Returns a batch that could not be written to the head of the queue. */
  putBack(batch: Batch): void {
    this.#sealed.unshift(batch);
    this.#sealedBytes += batch.bytes;
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
