import type { MeasuredServer } from '../measured-server.ts';
import { settle } from './settle.ts';

/** What has not come out of the Okapis, looked for after each round. */
export class Missing {
  readonly #signal: AbortSignal;
  readonly #found = new Map<string, { since: string; lines: readonly string[] }>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Waits until these servers have let everything out, or no more comes. */
  async look(servers: readonly MeasuredServer[], when: string): Promise<void> {
    for (const server of servers.filter(({ isOkapi }) => isOkapi)) {
      const lines = await settle(server, this.#signal);
      if (lines.length === 0) this.#found.delete(server.id);
      else this.#found.set(server.id, { since: this.#found.get(server.id)?.since ?? when, lines });
    }
  }

  /** A line for each thing that is missing in the end. */
  get lines(): string[] {
    return [...this.#found].flatMap(([id, { since, lines }]) => lines.map((line) => `${id}, since ${since}: ${line}`));
  }
}
