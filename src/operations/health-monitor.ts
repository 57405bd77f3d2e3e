import { getLogger } from '../core/index.ts';
import { dependencyUp } from '../core/telemetry/metrics/service-metrics.ts';

/** Something the service needs. `check` rejects when it is not usable. */
export type Dependency = {
  name: string;
  /** Without it the service is not ready; without the others it is `degraded`. */
  required: boolean;
  check(timeoutMs: number): Promise<void>;
};

export type DependencyState = {
  state: 'up' | 'down' | 'unknown';
  required: boolean;
  latency_ms: number | null;
  checked_at: string | null;
  last_error: string | null;
};

export type HealthStatus = 'ok' | 'degraded' | 'down';

export const CHECK_TIMEOUT_MS = 2_000;

/**
 * Knows how the dependencies are. They are asked in the background; whoever asks for health gets what is known and waits
 * for nothing.
 */
export class HealthMonitor {
  readonly #dependencies: readonly Dependency[];
  readonly #states = new Map<string, DependencyState>();
  readonly #logger = getLogger('app.operations.health');
  #draining = false;
  /** Faults of the process itself, such as a package that escaped instrumentation. */
  readonly faults: string[] = [];

  constructor(dependencies: readonly Dependency[]) {
    this.#dependencies = dependencies;
    for (const { name, required } of dependencies) {
      this.#states.set(name, { state: 'unknown', required, latency_ms: null, checked_at: null, last_error: null });
    }
  }

  /** One round of checks, all at once; each has two seconds. */
  async checkAll(): Promise<void> {
    await Promise.all(this.#dependencies.map((dependency) => this.#check(dependency)));
  }

  /** Checks one of them now. */
  async check(name: string): Promise<void> {
    await Promise.all(this.#dependencies.filter((each) => each.name === name).map((each) => this.#check(each)));
  }

  /** From now on the service is not ready: it is about to stop. */
  startDraining(): void {
    this.#draining = true;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  get isReady(): boolean {
    return !this.#draining && this.status !== 'down';
  }

  get status(): HealthStatus {
    const states = [...this.#states.values()];
    if (states.some(({ required, state }) => required && state !== 'up')) return 'down';
    return states.some(({ state }) => state === 'down') || this.faults.length > 0 ? 'degraded' : 'ok';
  }

  get dependencies(): Readonly<Record<string, DependencyState>> {
    return Object.fromEntries(this.#states);
  }

  async #check({ name, required, check }: Dependency): Promise<void> {
    const startedAt = performance.now();
    // Within a promise, so that a check which throws at once is a failed one too.
    const error = await outcome(
      Promise.try(() => check(CHECK_TIMEOUT_MS)),
      CHECK_TIMEOUT_MS,
    );
    const before = this.#states.get(name)?.state;
    const state = error === undefined ? 'up' : 'down';
    this.#states.set(name, {
      state,
      required,
      latency_ms: Math.round(performance.now() - startedAt),
      checked_at: new Date().toISOString(),
      last_error: error ?? null,
    });
    dependencyUp.labels({ dependency: name }).set(state === 'up' ? 1 : 0);
    if (state === 'down' && before !== 'down') this.#logger.warning(`${name} is away`, { dependency: name, error });
    if (state === 'up' && before === 'down') this.#logger.info(`${name} is back`, { dependency: name });
  }
}

/** What went wrong in words, or that it took too long; `undefined` when all is well. */
async function outcome(work: Promise<void>, timeoutMs: number): Promise<string | undefined> {
  const timeout = Promise.withResolvers<string>();
  const timer = setTimeout(() => timeout.resolve(`no answer within ${timeoutMs} ms`), timeoutMs);
  try {
    const result = work.then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message || error.name : String(error)),
    );
    return await Promise.race([result, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
