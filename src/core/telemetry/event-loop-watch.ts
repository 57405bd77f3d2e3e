import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const WINDOW_MS = 500;

/**
 * Tells whether the event loop is late: its mean delay was over the limit in two windows of half a second in a row. One
 * stall (a debugger, a frozen container, a long collection of garbage) fills one window and is no overload.
 */
export class EventLoopWatch {
  readonly #limitMs: number;
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay>;
  readonly #timer: NodeJS.Timeout;
  #lateWindows = 0;

  /** `limitMs` of 0 never calls the loop late. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#closeWindow(), WINDOW_MS);
    this.#timer.unref();
  }

  isLate(): boolean {
    return this.#lateWindows >= 2;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  #closeWindow(): void {
    this.record(this.#histogram.count === 0 ? 0 : this.#histogram.mean / 1e6 - RESOLUTION_MS);
    this.#histogram.reset();
  }

  /** Takes the mean delay of one window in milliseconds. */
  record(meanDelayMs: number): void {
    this.#lateWindows = this.#limitMs > 0 && meanDelayMs > this.#limitMs ? this.#lateWindows + 1 : 0;
  }
}
