import { getLogger } from './core/logging/index.ts';

/** What has been started, to be ended in the opposite order. */
export class Teardown {
  readonly #steps: { name: string; end: () => Promise<void> }[] = [];

  add(name: string, end: () => Promise<void>): void {
    this.#steps.push({ name, end });
  }

  /** Ends everything once; a step that fails is logged and keeps no other from its turn. */
  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.end();
      } catch (error) {
        getLogger('app.process').exception(`Ending ${step.name} failed`, error);
      }
    }
  }
}
