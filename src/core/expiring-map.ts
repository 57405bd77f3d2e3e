/** An entry of an {@link ExpiringMap}, and when it goes. */
export type Expiring<V> = { readonly key: string; readonly value: V; readonly expiresAt: Date };

type Entry<V> = Expiring<V> & { readonly timer: NodeJS.Timeout };

/** A few entries that go by themselves. `onChange` is called after each change, whatever caused it. */
export class ExpiringMap<V> {
  readonly #max: number;
  readonly #onChange: () => void;
  readonly #entries = new Map<string, Entry<V>>();

  /** `max` bounds how many there are at a time. */
  constructor(max: number, onChange: () => void = () => undefined) {
    this.#max = max;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whether `set` would take it. */
  hasRoomFor(key: string): boolean {
    return this.#entries.size < this.#max || this.#entries.has(key);
  }

  get(key: string): Expiring<V> | undefined {
    return this.#entries.get(key);
  }

  /** Sets an entry for `seconds` from now on, also one that was there. Returns `undefined` when there are too many. */
  set(key: string, value: V, seconds: number): Expiring<V> | undefined {
    if (!this.hasRoomFor(key)) return undefined;
    clearTimeout(this.#entries.get(key)?.timer);
    const ms = seconds * 1000;
    const timer = setTimeout(() => this.delete(key), ms).unref();
    const entry = { key, value, expiresAt: new Date(Date.now() + ms), timer };
    this.#entries.set(key, entry);
    this.#onChange();
    return entry;
  }

  /** Whether there was such an entry. */
  delete(key: string): boolean {
    clearTimeout(this.#entries.get(key)?.timer);
    const isGone = this.#entries.delete(key);
    if (isGone) this.#onChange();
    return isGone;
  }

  /** In the order in which they were first set. */
  values(): IterableIterator<Expiring<V>> {
    return this.#entries.values();
  }
}
