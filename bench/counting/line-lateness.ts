import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

const EVERY_MS = 5;
const CHUNK_BYTES = 1024 * 1024;
const TIMESTAMP = /"timestamp":"([^"]+)"/;

/** How late lines were, in milliseconds. */
export type Lateness = { count: number; max: number };

/** Reads a log as it grows, through its rotations, and compares when a line could be read with when it was written. */
export class LineLateness {
  readonly #path: string;
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  readonly #timer: NodeJS.Timeout;
  #fd: number;
  #offset: number;
  #rest = '';
  #seen: Lateness = { count: 0, max: 0 };

  /** Begins behind what is in the file at `path` by now. */
  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, 'r');
    this.#offset = fstatSync(this.#fd).size;
    this.#timer = setInterval(() => this.#read(), EVERY_MS);
  }

  /** What was seen so far. */
  get seen(): Lateness {
    return this.#seen;
  }

  /** Ends the reading; what was seen until then. */
  close(): Lateness {
    if (!this.#timer.hasRef()) return this.#seen;
    this.#read();
    clearInterval(this.#timer);
    this.#timer.unref();
    closeSync(this.#fd);
    return this.#seen;
  }

  #read(): void {
    // Looked at first: what was written to the file before it was left is read before the next one is opened.
    const named = statSync(this.#path, { throwIfNoEntry: false });
    this.#readOn();
    // While files rotate there is for a moment nothing of that name.
    if (named === undefined || named.ino === fstatSync(this.#fd).ino) return;
    closeSync(this.#fd);
    this.#fd = openSync(this.#path, 'r');
    this.#offset = 0;
    this.#rest = '';
    this.#readOn();
  }

  #readOn(): void {
    for (;;) {
      const bytes = readSync(this.#fd, this.#chunk, 0, CHUNK_BYTES, this.#offset);
      if (bytes === 0) return;
      this.#offset += bytes;
      const now = Date.now();
      const lines = (this.#rest + this.#chunk.toString('latin1', 0, bytes)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#note(line, now);
    }
  }

  #note(line: string, now: number): void {
    const writtenAt = Date.parse(TIMESTAMP.exec(line)?.[1] ?? '');
    if (Number.isNaN(writtenAt)) throw new Error(`A log line without its time: ${line.slice(0, 200)}`);
    this.#seen = { count: this.#seen.count + 1, max: Math.max(this.#seen.max, now - writtenAt) };
  }
}
