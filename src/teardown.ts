import { setTimeout as delay } from 'node:timers/promises';
import { getLogger } from './core/logging/index.ts';

const END_WITHIN_MS = 5_000;

type Step = { name: string; end: () => Promise<void>; withinMs: number };

/** What has been started, to be ended in the opposite order. */
export class Teardown {
  readonly #steps: Step[] = [];

  /** `end` may take `withinMs`; then it is left behind, so that a store that hangs cannot keep the process. */
  add(name: string, end: () => Promise<void>, withinMs = END_WITHIN_MS): void {
    this.#steps.push({ name, end, withinMs });
  }

  /** Ends everything once; a step that fails or hangs is logged and keeps no other from its turn. */
  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const patience = new AbortController();
      try {
        const late = delay(step.withinMs, true, { signal: patience.signal }).catch(() => false);
        if (await Promise.race([step.end(), late])) {
          getLogger('app.process').warning(`Ending ${step.name} took over ${step.withinMs} ms and was left behind`);
        }
      } catch (error) {
        getLogger('app.process').exception(`Ending ${step.name} failed`, error);
      } finally {
        patience.abort();
      }
    }
  }
}
