import { setImmediate } from 'node:timers/promises';

export type TimeSliceOptions = {
  /** Work in one go, milliseconds. */
  readonly budgetMs?: number;
  /** A monotonic clock, milliseconds. */
  readonly now?: () => number;
  /** Resolves once the event loop had a turn for others. */
  readonly pause?: () => Promise<unknown>;
};

/** Cuts long work into slices, so that it holds up no request for longer than one of them. */
export class TimeSlice {
  readonly #budgetMs: number;
  readonly #now: () => number;
  readonly #pause: () => Promise<unknown>;
  #startedAt: number;

  constructor({ budgetMs = 2, now = () => performance.now(), pause = () => setImmediate() }: TimeSliceOptions = {}) {
    this.#budgetMs = budgetMs;
    this.#now = now;
    this.#pause = pause;
    this.#startedAt = now();
  }

  isSpent(): boolean {
    return this.#now() - this.#startedAt >= this.#budgetMs;
  }

  /** Gives the event loop back and begins the next slice. */
  async rest(): Promise<void> {
    await this.#pause();
    this.#startedAt = this.#now();
  }
}
