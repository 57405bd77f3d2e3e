/** Lets a bounded number through at a time, in the order in which they came, and a bounded number wait. */
export class Gate {
  readonly #maxInside: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  constructor(maxInside: number, maxWaiting: number) {
    this.#maxInside = maxInside;
    this.#maxWaiting = maxWaiting;
  }

  /** Whether `enter` would turn away who comes now. */
  get isFull(): boolean {
    return this.#inside >= this.#maxInside && this.#waiting.length >= this.#maxWaiting;
  }

  /** Resolves to the function that leaves again, or at once to `undefined` when too many wait. */
  async enter(): Promise<(() => void) | undefined> {
    if (this.isFull) return undefined;
    if (this.#inside >= this.#maxInside) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#inside++;
    }
    return () => this.#leave();
  }

  /** The place of who leaves goes to who waits longest, so nobody can slip in between. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#inside--;
    else next();
  }
}
