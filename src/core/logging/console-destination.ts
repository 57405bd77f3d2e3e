import type { ConsoleTarget } from './console-target.ts';
import { type Batch, LineQueue } from './line-queue.ts';

const FIRST_RETRY_MS = 2;
const LAST_RETRY_MS = 50;
const STALLED_AFTER_MS = 300;

/** Standard error and the lines that wait for it. A reader that is behind fills the queue; one that is gone loses lines. */
export class ConsoleDestination {
  readonly queue: LineQueue;
  readonly #target: ConsoleTarget;
  #batch: Batch | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #progressAt = 0;
  #whenIdle: (() => void) | undefined;

  constructor(target: ConsoleTarget, maxQueueBytes: number) {
    this.#target = target;
    this.queue = new LineQueue(maxQueueBytes);
  }

  /** Writes complete batches until there are none or the reader is behind; then tries again by itself. */
  pump(): void {
    while (this.#writeSome());
    if (this.#batch === undefined && this.#target.isIdle) this.#whenIdle?.();
    else this.#retryLater();
  }

  /** Whether a batch was finished and the next one may follow. */
  #writeSome(): boolean {
    if (this.#batch === undefined) {
      this.#batch = this.queue.take();
      if (this.#batch === undefined) return false;
      this.#bytes = this.#batch.bytes;
    }
    try {
      const taken = this.#target.write(this.#bytes);
      if (taken > 0) {
        this.#retryMs = FIRST_RETRY_MS;
        this.#progressAt = performance.now();
      }
      this.#bytes = this.#bytes.subarray(taken);
      if (this.#bytes.length > 0) return taken > 0;
    } catch {
      this.queue.drop(this.#batch.lines);
    }
    this.#batch = undefined;
    return true;
  }

  #retryLater(): void {
    if (this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.pump();
    }, this.#retryMs);
    if (this.#whenIdle === undefined) this.#retry.unref();
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  /** Resolves when all has left the process, the reader has taken nothing for 0.3 s, or after `timeoutMs`. */
  async drained(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const deadline = performance.now() + timeoutMs;
    this.#progressAt = performance.now();
    const watch = setInterval(() => {
      const now = performance.now();
      if (now >= deadline || now - this.#progressAt >= STALLED_AFTER_MS) resolve();
    }, LAST_RETRY_MS);
    this.#whenIdle = resolve;
    this.queue.seal();
    this.pump();
    await promise;
    clearInterval(watch);
    this.#whenIdle = undefined;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#batch !== undefined) this.queue.drop(this.#batch.lines);
    this.#batch = undefined;
    this.queue.abandon();
  }

  /** Writes one line at once when the reader takes it, and forgets it otherwise: for what is logged after the end. */
  writeNow(line: string): void {
    this.queue.add(line);
    this.queue.seal();
    this.pump();
  }
}
