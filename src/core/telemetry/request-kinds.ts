/** What requests are told apart by, in metrics and on spans. */
export type RequestKind = { method: string; route: string | undefined; status: number; httpVersion: string };

/**
 * What is kept for every kind of request: at most `maxKinds` of them. Asked for by each request, so it is found part by
 * part; one key for all would have to be put together and hashed each time.
 */
export class ByRequestKind<T> {
  readonly #maxKinds: number;
  readonly #kept = new Map<string | undefined, Map<string, Map<number, Map<string, T>>>>();
  #kinds = 0;

  constructor(maxKinds = Number.POSITIVE_INFINITY) {
    this.#maxKinds = maxKinds;
  }

  get({ method, route, status, httpVersion }: RequestKind): T | undefined {
    return this.#kept.get(route)?.get(method)?.get(status)?.get(httpVersion);
  }

  /** Keeps `value`, unless there are as many as may be. */
  set({ method, route, status, httpVersion }: RequestKind, value: T): void {
    if (this.#kinds >= this.#maxKinds) return;
    const ofRoute = inner(this.#kept, route);
    inner(inner(ofRoute, method), status).set(httpVersion, value);
    this.#kinds++;
  }
}

function inner<K, L, V>(map: Map<K, Map<L, V>>, key: K): Map<L, V> {
  const found = map.get(key) ?? new Map<L, V>();
  map.set(key, found);
  return found;
}
