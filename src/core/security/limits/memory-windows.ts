import type { Policy } from './policy.ts';
import { Window } from './window.ts';

/** Callers of one limit that are remembered at a time: with the bound on a window, some 25 MB at the very most. */
export const MAX_CALLERS = 20_000;
/** Old windows that are looked at for each new one: what is over goes faster than new ones come. */
const SWEPT = 2;
const CANDIDATES = 8;

/**
 * The windows of one limit in this process, by caller. Whatever callers send, there is a bounded number: what is over is
 * swept out as new ones come, and when there are too many, of a few that are oldest the one with the fewest hits goes.
 * So a flood of callers with a hit each pushes out its own, and not one who is at the limit.
 */
export class MemoryWindows {
  readonly #policy: Policy;
  readonly #capacity: number;
  readonly #onEvicted: () => void;
  readonly #windows = new Map<string, Window>();

  constructor(policy: Policy, onEvicted: () => void, capacity = MAX_CALLERS) {
    this.#policy = policy;
    this.#onEvicted = onEvicted;
    this.#capacity = capacity;
  }

  /** The window of a caller; a new one where there is none. `now` in milliseconds. */
  windowOf(caller: string, now: number): Window {
    return this.#windows.get(caller) ?? this.#add(caller, now);
  }

  /** That of a caller who was here and has not been forgotten. */
  find(caller: string): Window | undefined {
    return this.#windows.get(caller);
  }

  get size(): number {
    return this.#windows.size;
  }

  #add(caller: string, now: number): Window {
    this.#sweep(now);
    if (this.#windows.size >= this.#capacity) this.#evict();
    const window = new Window();
    this.#windows.set(caller, window);
    return window;
  }

  #sweep(now: number): void {
    for (const [caller, window] of this.#oldest(SWEPT)) {
      this.#windows.delete(caller);
      if (!window.isOver(this.#policy, now)) this.#windows.set(caller, window);
    }
  }

  #evict(): void {
    let fewest: string | undefined;
    let hits = Number.POSITIVE_INFINITY;
    for (const [caller, window] of this.#oldest(CANDIDATES)) {
      this.#windows.delete(caller);
      this.#windows.set(caller, window);
      if (window.total >= hits) continue;
      fewest = caller;
      hits = window.total;
    }
    if (fewest === undefined) return;
    this.#windows.delete(fewest);
    this.#onEvicted();
  }

  /** Those that were looked at longest ago: whoever looks at one puts it at the end. */
  #oldest(count: number): [string, Window][] {
    return [...this.#windows.entries().take(count)];
  }
}
