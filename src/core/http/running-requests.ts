import type { OkapiContext } from './state.ts';

/** A request whose layers are under way. */
export class RunningRequest {
  readonly ctx: OkapiContext;
  /** When its time is over, by the clock of `performance.now()`. */
  readonly expiresAt: number;
  readonly reject: (reason: Error) => void;
  /** Whether its route gave it longer than all others have. */
  isExtended = false;
  /** Its neighbours in `RunningRequests`, which alone sets them. */
  older: RunningRequest | undefined = undefined;
  newer: RunningRequest | undefined = undefined;

  constructor(ctx: OkapiContext, expiresAt: number, reject: (reason: Error) => void) {
    this.ctx = ctx;
    this.expiresAt = expiresAt;
    this.reject = reject;
  }
}

/**
 * The requests under way, oldest first. A list of links that are cut when a request ends, and no `Set`: that copies
 * itself every so many requests, and each copy, dead and among what is collected last, keeps the next one alive with all
 * requests in it. A sixth of what signed-in requests allocate outlived them so, and took a seventh of their time.
 */
export class RunningRequests {
  #oldest: RunningRequest | undefined = undefined;
  #newest: RunningRequest | undefined = undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Takes up one that is under way from now on. */
  add(request: RunningRequest): void {
    request.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = request;
    else this.#newest.newer = request;
    this.#newest = request;
    this.#size++;
  }

  /** `false` when it is not under way any more. */
  delete(request: RunningRequest): boolean {
    const { older, newer } = request;
    if (older === undefined && this.#oldest !== request) return false;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    request.older = undefined;
    request.newer = undefined;
    this.#size--;
    return true;
  }

  /** Oldest first. The one at hand may be deleted meanwhile. */
  *values(): Generator<RunningRequest, void> {
    let request = this.#oldest;
    while (request !== undefined) {
      const { newer } = request;
      yield request;
      request = newer;
    }
  }
}
