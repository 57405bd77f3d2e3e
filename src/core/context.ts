import { type Context, context, createContextKey, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';

/** What a request or a job spent on stores and on waiting. Durations are milliseconds. */
export class Spent {
  postgresStatements = 0;
  postgresMs = 0;
  mongoCommands = 0;
  mongoMs = 0;
  poolWaitMs = 0;
  hashQueueMs = 0;
}

/** What whoever has spent nothing yet has spent. */
export const NOTHING_SPENT: Readonly<Spent> = Object.freeze(new Spent());

/**
 * What travels with a request or a job without being passed by hand. One mutable object per request, so that what an
 * inner layer learns (the user) is seen by the outer ones (the access line).
 */
export class Carrier {
  requestId: string | undefined = undefined;
  userId: string | undefined = undefined;
  jobName: string | undefined = undefined;
  /** When the deadline of the request passes, by the clock of `performance.now()`. */
  expiresAt: number | undefined = undefined;
  /** Set once the deadline of the request has passed: what was answered, and why nothing more is done for it. */
  aborted: Error | undefined = undefined;
  #spent: Spent | undefined = undefined;
  /** One of them nearly always: a request asks one thing at a time. */
  #listener: (() => void) | undefined = undefined;
  #others: Set<() => void> | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  get spent(): Readonly<Spent> {
    return this.#spent ?? NOTHING_SPENT;
  }

  /** The same, for whoever adds to it. */
  get spending(): Spent {
    this.#spent ??= new Spent();
    return this.#spent;
  }

  /** Aborts when the deadline of the request passes; for whatever can be called off. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.aborted !== undefined) this.#controller.abort(this.aborted);
    }
    return this.#controller.signal;
  }

  /** Calls `listener`, a function of its own each time, when the deadline passes. Returns what ends that. */
  onAbort(listener: () => void): () => void {
    if (this.#listener === undefined) this.#listener = listener;
    else {
      this.#others ??= new Set();
      this.#others.add(listener);
    }
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
      else this.#others?.delete(listener);
    };
  }

  /** Says that the deadline has passed, to all who listen. */
  abort(reason: Error): void {
    this.aborted = reason;
    this.#controller?.abort(reason);
    this.#listener?.();
    for (const listener of this.#others ?? []) listener();
  }
}

const CARRIER = createContextKey('okapi.carrier');

/** The carrier of the running request or job; `undefined` outside of both. */
export function currentCarrier(active: Context = context.active()): Carrier | undefined {
  return active.getValue(CARRIER) as Carrier | undefined;
}

/** A context that holds `carrier` and, when given, `span`, on top of `parent`. */
export function contextWith(carrier: Carrier, span?: Span, parent: Context = ROOT_CONTEXT): Context {
  return new CarrierContext(carrier, span, parent);
}

/** The key under which the API keeps the active span, which it does not export. */
const SPAN = spanKey();

function spanKey(): symbol {
  let found: symbol | undefined;
  const probe: Context = {
    getValue: () => undefined,
    setValue: (key) => {
      found = key;
      return probe;
    },
    deleteValue: () => probe,
  };
  trace.setSpan(probe, trace.wrapSpanContext({ traceId: '', spanId: '', traceFlags: 0 }));
  if (found === undefined)
    throw new Error('The OpenTelemetry API keeps its span in another way: contextWith must follow');
  return found;
}

/** Two values without a map: the API's own context copies one at each `setValue`, twice for every request. */
class CarrierContext implements Context {
  readonly #carrier: Carrier;
  readonly #span: Span | undefined;
  readonly #parent: Context;

  constructor(carrier: Carrier, span: Span | undefined, parent: Context) {
    this.#carrier = carrier;
    this.#span = span;
    this.#parent = parent;
  }

  getValue(key: symbol): unknown {
    if (key === CARRIER) return this.#carrier;
    if (key === SPAN && this.#span !== undefined) return this.#span;
    return this.#parent.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return this.#unfolded().setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return this.#unfolded().deleteValue(key);
  }

  #unfolded(): Context {
    const withCarrier = this.#parent.setValue(CARRIER, this.#carrier);
    return this.#span === undefined ? withCarrier : withCarrier.setValue(SPAN, this.#span);
  }
}

/** Reads the request id of the running request, from wherever it is called. */
export const requestIdCtx = { get: (): string | undefined => currentCarrier()?.requestId };

/** Reads the id of the signed-in user of the running request, from wherever it is called. */
export const userIdCtx = { get: (): string | undefined => currentCarrier()?.userId };
