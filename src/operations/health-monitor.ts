import { context } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { getLogger } from '../core/index.ts';
import { redactText } from '../core/logging/redaction.ts';
import { dependencyUp } from '../core/telemetry/metrics/service-metrics.ts';
import { TOO_LATE, within } from './within.ts';

/** Something the service needs. */
export type Dependency = {
  name: string;
  /** Without it the service is not ready; without the others it is `degraded`. */
  required: boolean;
  /** Rejects when it is not usable. It is judged after `timeoutMs`, and not asked again before it has answered. */
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

export type CheckTimeouts = {
  /** For what the service cannot do without, milliseconds. */
  requiredMs: number;
  otherMs: number;
};

/** From the begin of one round of checks to that of the next. */
export const CHECK_INTERVAL_MS = 5_000;
/** With the interval, what the service needs is known to hang within six seconds. */
export const CHECK_TIMEOUTS: CheckTimeouts = { requiredMs: 900, otherMs: 2_000 };

const ERROR_LIMIT = 300;

/** A check that has not been answered yet. */
type Question = { startedAt: number; isLate: boolean; judged: Promise<void> };

/**
 * Knows how the dependencies are. They are asked in the background; whoever asks for health gets what is known and waits
 * for nothing.
 */
export class HealthMonitor {
  readonly #dependencies: readonly Dependency[];
  readonly #timeouts: CheckTimeouts;
  readonly #states = new Map<string, DependencyState>();
  readonly #unanswered = new Map<string, Question>();
  readonly #logger = getLogger('app.operations.health');
  #draining = false;
  /** Faults of the process itself, such as a package that escaped instrumentation. */
  readonly faults: string[] = [];

  constructor(dependencies: readonly Dependency[], timeouts = CHECK_TIMEOUTS) {
    this.#dependencies = dependencies;
    this.#timeouts = timeouts;
    for (const { name, required } of dependencies) {
      this.#states.set(name, { state: 'unknown', required, latency_ms: null, checked_at: null, last_error: null });
    }
  }

  /** One round of checks, all at once. One that hangs is not asked again. */
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

  #check(dependency: Dependency): Promise<void> {
    const asked = this.#unanswered.get(dependency.name);
    if (asked === undefined) return this.#ask(dependency);
    if (!asked.isLate) return asked.judged;
    const seconds = Math.round((performance.now() - asked.startedAt) / 1000);
    this.#record(dependency, asked.startedAt, `no answer for ${seconds} s`);
    return Promise.resolve();
  }

  /** Asks and judges. An answer that comes too late changes nothing but that it may be asked again. */
  #ask(dependency: Dependency): Promise<void> {
    const { name, required, check } = dependency;
    const timeoutMs = required ? this.#timeouts.requiredMs : this.#timeouts.otherMs;
    const startedAt = performance.now();
    // Within a promise, so that a check which throws at once is a failed one too; and in no trace, whoever asks for it.
    const answer = context
      .with(suppressTracing(context.active()), () => Promise.try(() => check(timeoutMs)))
      .then(() => undefined, inWords)
      .finally(() => this.#unanswered.delete(name));
    const judged = within(timeoutMs, answer).then((result) => {
      question.isLate = result === TOO_LATE;
      this.#record(dependency, startedAt, result === TOO_LATE ? `no answer within ${timeoutMs} ms` : result);
    });
    const question: Question = { startedAt, isLate: false, judged };
    this.#unanswered.set(name, question);
    return judged;
  }

  #record({ name, required }: Dependency, startedAt: number, error: string | undefined): void {
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

function inWords(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return redactText(text, ERROR_LIMIT);
}
