import { type Batch, LineQueue } from './line-queue.ts';
import type { RotatingFile } from './rotating-file.ts';

export interface DestinationEvents {
  /** A batch was written. */
  written(): void;
  /** Somebody removed the file: it should be opened anew. */
  gone(): void;
}

/**
 * One log file and the lines that wait for it. Batches are handed over one at a time, the next when the last is with
 * the kernel, so a slow disk fills the queue and nothing behind it. While the file cannot be written the lines stay.
 */
export class FileDestination {
  readonly queue: LineQueue;
  readonly #checkMs: number;
  readonly #events: DestinationEvents;
  #file: RotatingFile | undefined;
  #busy = false;
  #handedOver = 0;
  #checkedAt = 0;
  #whenIdle: (() => void) | undefined;

  /** Every `checkMs`, while lines are written, it is asked whether the file is still there. */
  constructor(maxQueueBytes: number, checkMs: number, events: DestinationEvents) {
    this.queue = new LineQueue(maxQueueBytes);
    this.#checkMs = checkMs;
    this.#events = events;
  }

  /** Nothing waits and nothing is under way. */
  get isIdle(): boolean {
    return !this.#busy && this.queue.isEmpty;
  }

  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  attach(file: RotatingFile): void {
    this.#file = file;
    this.pump();
  }

  /** Lets go of the file; the lines that wait are kept for the next one. */
  detach(): RotatingFile | undefined {
    const file = this.#file;
    this.#file = undefined;
    return file;
  }

  /** Hands over the next complete batch, unless one is under way. */
  pump(): void {
    const file = this.#file;
    if (this.#busy) return;
    if (file === undefined) {
      this.#whenIdle?.();
      return;
    }
    const batch = this.queue.take();
    if (batch === undefined) {
      this.#whenIdle?.();
      return;
    }
    this.#busy = true;
    this.#handedOver = batch.lines;
    file.write(batch, (error, bytes) => this.#settled(batch, error, bytes));
  }

  #settled(batch: Batch, error: Error | undefined, bytes: number): void {
    this.#busy = false;
    this.#handedOver = 0;
    if (error !== undefined) {
      this.#file = undefined;
      const rest = unwritten(batch, bytes);
      if (rest !== undefined) this.queue.putBack(rest);
      this.#whenIdle?.();
      return;
    }
    this.queue.release(batch);
    this.#events.written();
    const now = Date.now();
    if (this.#file === undefined || now - this.#checkedAt < this.#checkMs) {
      this.pump();
      return;
    }
    this.#checkedAt = now;
    void this.#check(this.#file);
  }

  /** Nothing is handed over meanwhile: a file that rotates between the two looks of the check would seem gone. */
  async #check(file: RotatingFile): Promise<void> {
    this.#busy = true;
    const gone = await file.isGone();
    this.#busy = false;
    if (gone && this.#file === file) this.#events.gone();
    this.pump();
  }

  /** Resolves when nothing waits any more, or nothing can be written. */
  async drained(): Promise<void> {
    this.queue.seal();
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      if (this.#file === undefined) resolve();
      else this.pump();
    });
    this.#whenIdle = undefined;
  }

  /** Counts what waits as dropped, and what was handed over to a disk that does not answer. */
  giveUp(): void {
    this.queue.drop(this.#handedOver);
    this.#handedOver = 0;
    this.queue.abandon();
  }

  /** Writes what waits without the event loop: only while the process exits. */
  appendNow(maxFileBytes: number): void {
    this.queue.seal();
    const batches: Batch[] = [];
    for (let batch = this.queue.take(); batch !== undefined; batch = this.queue.take()) batches.push(batch);
    if (batches.length > 0 || this.#busy) this.#file?.appendNow(batches, maxFileBytes);
  }
}

/** The lines of a batch that are not whole on disk; a torn one is cut off when the file is opened again. */
function unwritten(batch: Batch, written: number): Batch | undefined {
  if (written <= 0) return batch;
  const { bytes: all } = batch;
  const bytes = all.subarray(all.lastIndexOf(0x0a, written - 1) + 1);
  if (bytes.length === 0) return undefined;
  return { bytes, lines: bytes.reduce((lines, byte) => (byte === 0x0a ? lines + 1 : lines), 0) };
}
