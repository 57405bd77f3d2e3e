import { Session } from 'node:inspector/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** `cpu`: where time goes. `heap`: who allocated what is still there, by samples. */
export type ProfileKind = 'cpu' | 'heap';

/** A place at the profiler. Give it back with `end`. */
export type Profiling = {
  /**
   * Profiles this process for `ms` and resolves to the profile as JSON, as the DevTools of Chrome read it. A stop of the
   * profiler ends it early, with what there is by then. Rejects with an `AbortError` as soon as `signal` aborts.
   */
  take(kind: ProfileKind, ms: number, signal: AbortSignal): Promise<string>;
  end(): void;
};

/** Bytes between two samples of the heap on average; the default of `node --heap-prof`. */
const HEAP_INTERVAL_BYTES = 512 * 1024;

/** Profiles this process by V8's inspector, one profile at a time: two would measure each other. */
export class Profiler {
  readonly #stopping = new AbortController();
  #isTaken = false;

  get isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Takes the place; `undefined` when somebody has it. */
  claim(): Profiling | undefined {
    if (this.#isTaken) return undefined;
    this.#isTaken = true;
    return {
      take: (kind, ms, signal) => (kind === 'cpu' ? this.#cpu(ms, signal) : this.#heap(ms, signal)),
      end: () => {
        this.#isTaken = false;
      },
    };
  }

  /** Ends a profile that is being taken: the service is about to stop. */
  stop(): void {
    this.#stopping.abort();
  }

  #cpu(ms: number, signal: AbortSignal): Promise<string> {
    return inSession(async (session) => {
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await this.#pass(ms, signal);
      return JSON.stringify((await session.post('Profiler.stop')).profile);
    });
  }

  #heap(ms: number, signal: AbortSignal): Promise<string> {
    return inSession(async (session) => {
      await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_INTERVAL_BYTES });
      await this.#pass(ms, signal);
      return JSON.stringify((await session.post('HeapProfiler.stopSampling')).profile);
    });
  }

  async #pass(ms: number, signal: AbortSignal): Promise<void> {
    const stopping = this.#stopping.signal;
    await delay(ms, undefined, { signal: AbortSignal.any([signal, stopping]) }).catch((error: unknown) => {
      if (signal.aborted || !stopping.aborted) throw error;
    });
  }
}

/** The end of its session ends what was begun in it. */
async function inSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
  const session = new Session();
  session.connect();
  try {
    return await work(session);
  } finally {
    session.disconnect();
  }
}
