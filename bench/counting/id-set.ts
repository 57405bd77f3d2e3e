const INITIAL_SLOTS = 1 << 16;

/** A set of 8-byte ids that are random, kept in two arrays of numbers: millions of them cost no object each. */
export class IdSet {
  #high = new Uint32Array(INITIAL_SLOTS);
  #low = new Uint32Array(INITIAL_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds an id given as two halves. Returns whether it is new. An id of zeros is none, and is never new. */
  add(high: number, low: number): boolean {
    if (high === 0 && low === 0) return false;
    if (this.#size * 2 >= this.#low.length) this.#grow();
    const slot = this.#find(high, low);
    if (this.#low[slot] !== 0 || this.#high[slot] !== 0) return false;
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#size++;
    return true;
  }

  /** The slot of the id, or the free one where it belongs. */
  #find(high: number, low: number): number {
    const mask = this.#low.length - 1;
    let slot = (high ^ low) & mask;
    while (
      (this.#low[slot] !== 0 || this.#high[slot] !== 0) &&
      (this.#low[slot] !== low || this.#high[slot] !== high)
    ) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const [high, low] = [this.#high, this.#low];
    this.#high = new Uint32Array(high.length * 2);
    this.#low = new Uint32Array(low.length * 2);
    for (let index = 0; index < low.length; index++) {
      const [upper = 0, lower = 0] = [high[index], low[index]];
      if (upper === 0 && lower === 0) continue;
      const slot = this.#find(upper, lower);
      this.#high[slot] = upper;
      this.#low[slot] = lower;
    }
  }
}
