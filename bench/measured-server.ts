import { join } from 'node:path';
import { LogFollower } from './counting/log-follower.ts';
import type { Received } from './counting/receiver.ts';
import { parseRequestsTotal } from './counting/requests-total.ts';
import type { Counts } from './counting/shortfalls.ts';
import { request } from './load/request.ts';
import type { LoadResult } from './load/result.ts';
import { METRICS_TOKEN } from './okapi-settings.ts';
import type { RunningServer } from './processes/server.ts';
import type { ServerDefinition } from './servers.ts';

/** A running server, with the account of what it was sent and what came out of it. */
export class MeasuredServer {
  readonly id: string;
  readonly running: RunningServer;
  readonly definition: ServerDefinition;
  /** What the load or the connections said was wrong. */
  readonly problems: string[] = [];
  readonly #received: () => Readonly<Received>;
  readonly #follower: LogFollower | undefined;
  #sent = 0;
  #mayBeAbandoned = 0;

  constructor(
    id: string,
    definition: ServerDefinition,
    running: RunningServer,
    folder: string,
    received: () => Readonly<Received>,
  ) {
    this.id = id;
    this.definition = definition;
    this.running = running;
    this.#received = received;
    const hasLines = definition.okapi !== undefined && definition.okapi !== 'off';
    this.#follower = hasLines ? new LogFollower(join(folder, 'logs')) : undefined;
  }

  get isOkapi(): boolean {
    return this.definition.okapi !== undefined;
  }

  get sent(): number {
    return this.#sent;
  }

  /** Server spans received of those due, 1 when none is missing; `undefined` when none are sent. */
  get tracedShare(): number | undefined {
    return this.definition.traced && this.#sent > 0
      ? Math.min(1, this.#received().serverSpans / this.#sent)
      : undefined;
  }

  /** Adds requests that were made one by one and answered. */
  addSingle(requests: number): void {
    this.#sent += requests;
  }

  /** Adds what a run of the load generator sent over `connections`. */
  addLoad({ requests, notOk, socketErrors }: LoadResult, connections: number): void {
    this.#sent += requests;
    this.#mayBeAbandoned += connections;
    if (notOk > 0) this.problems.push(`${notOk} answers were not 2xx`);
    if (socketErrors > 0) this.problems.push(`${socketErrors} connections failed`);
    if (this.running.hasEnded()) this.problems.push('it has ended');
  }

  /** What is known of an Okapi now. */
  async counts(): Promise<Counts> {
    const headers = { Authorization: `Bearer ${METRICS_TOKEN}`, Accept: 'text/plain' };
    const { status, body } = await request(`${this.running.url}/metrics/app_requests_total`, { headers });
    if (status !== 200) throw new Error(`${this.id} answered ${status} to a scrape: ${body}`);
    return {
      sent: this.#sent,
      mayBeAbandoned: this.#mayBeAbandoned,
      ...parseRequestsTotal(body),
      spans: this.definition.traced ? this.#received().serverSpans : undefined,
      lines: this.#follower?.read(),
    };
  }

  async stop(): Promise<void> {
    await this.running.stop();
    this.#follower?.close();
  }
}
