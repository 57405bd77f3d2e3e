/** Why something was not exported. `failed` is what an exporter of the SDK gave up; the others are decided here. */
export const DROP_CAUSES = ['queue_full', 'too_large', 'rejected', 'failed', 'shutdown'] as const;
export type DropCause = (typeof DROP_CAUSES)[number];

/** What has ended and is neither exported nor dropped yet, by the word of whoever holds it. */
export type Held = { readonly queued: number; readonly sending: number };

/** An account as it is shown. `started` is the sum of all the others but `unacknowledged`. */
export type AccountView = {
  readonly started: number;
  readonly sampled_out: number;
  readonly exported: number;
  readonly dropped: Readonly<Record<DropCause, number>>;
  readonly in_flight: { readonly open: number; readonly queued: number; readonly sending: number };
  /** Of what is in flight or dropped: sent without getting an answer, so the receiver may have it. */
  readonly unacknowledged: number;
};

/**
 * The account of one signal. Each number has one writer for each thing that is counted, so that nothing is counted
 * twice: `started` and `sampledOut` who begins it, `ended` who queues it, the rest who sends it.
 */
export class Account {
  started = 0;
  sampledOut = 0;
  /** Of `started`: what turned out not to be worth telling, and counts as never begun. No counter ever falls. */
  withdrawn = 0;
  /** Of `sampledOut`: sampled after all. */
  sampledLater = 0;
  /** Ended, and handed over to be exported. */
  ended = 0;
  exported = 0;
  unacknowledged = 0;
  readonly dropped: Record<DropCause, number> = { queue_full: 0, too_large: 0, rejected: 0, failed: 0, shutdown: 0 };
  #held: (() => Held) | undefined;
  #closed: AccountView | undefined;

  /** Whether anything is exported: without that there is nothing to account for. */
  get isKept(): boolean {
    return this.#held !== undefined;
  }

  /** Says who holds what has ended. */
  keep(held: () => Held): void {
    this.#held = held;
  }

  view(): AccountView {
    if (this.#closed !== undefined) return this.#closed;
    const { ended, exported, unacknowledged } = this;
    const started = this.started - this.withdrawn;
    const sampledOut = this.sampledOut - this.sampledLater;
    const { queued, sending } = this.#held?.() ?? { queued: 0, sending: 0 };
    return {
      started,
      sampled_out: sampledOut,
      exported,
      dropped: { ...this.dropped },
      in_flight: { open: started - sampledOut - ended, queued, sending },
      unacknowledged,
    };
  }

  /** The last word: what is in flight now is lost, with the cause `shutdown`. Nothing changes it any more. */
  close(): AccountView {
    const view = this.view();
    const { open, queued, sending } = view.in_flight;
    const dropped = { ...view.dropped, shutdown: view.dropped.shutdown + open + queued + sending };
    this.#closed = { ...view, dropped, in_flight: { open: 0, queued: 0, sending: 0 } };
    return this.#closed;
  }
}

export type LedgerView = {
  readonly spans?: AccountView;
  readonly log_records?: AccountView;
  readonly metric_exports?: AccountView;
};

/** What this process began to tell by OTLP, and what became of it. */
export class Ledger {
  readonly spans = new Account();
  readonly logRecords = new Account();
  /** One for each collection of all metrics that is sent. */
  readonly metricExports = new Account();

  /** The accounts of the signals that are exported. */
  view(): LedgerView {
    return this.#each((account) => account.view());
  }

  /** Closes all accounts. */
  close(): LedgerView {
    return this.#each((account) => account.close());
  }

  #each(viewOf: (account: Account) => AccountView): LedgerView {
    const { spans, logRecords, metricExports } = this;
    return {
      ...(spans.isKept ? { spans: viewOf(spans) } : {}),
      ...(logRecords.isKept ? { log_records: viewOf(logRecords) } : {}),
      ...(metricExports.isKept ? { metric_exports: viewOf(metricExports) } : {}),
    };
  }
}

/** The ledger of this process. */
export const ledger = new Ledger();
