import type { Labels } from './labels.ts';

/** The sampled span in which a value was observed, shown on the bucket that counted it. */
export type Exemplar = { value: number; traceId: string; spanId: string; timestampMs: number };

/** What names a span; the span context of OpenTelemetry is one. */
export type SpanReference = { readonly traceId: string; readonly spanId: string };

/** A bound counter. */
export class CounterChild {
  readonly labels: Labels;
  readonly #metric: string;
  #value = 0;

  constructor(metric: string, labels: Labels) {
    this.#metric = metric;
    this.labels = labels;
  }

  get value(): number {
    return this.#value;
  }

  /** Adds `n`. Throws a `TypeError` unless it is a finite number of at least 0. */
  inc(n = 1): void {
    if (typeof n !== 'number' || !(n >= 0 && n < Infinity)) refuse(this.#metric, 'inc', n);
    this.#value += n;
  }
}

/** A bound gauge. */
export class GaugeChild {
  readonly labels: Labels;
  readonly #metric: string;
  #value = 0;

  constructor(metric: string, labels: Labels) {
    this.#metric = metric;
    this.labels = labels;
  }

  get value(): number {
    return this.#value;
  }

  /** Sets the value, NaN and the infinities included. Throws a `TypeError` for what is no number. */
  set(value: number): void {
    if (typeof value !== 'number') refuse(this.#metric, 'set', value);
    this.#value = value;
  }

  /** Moves the value up by `n`. Throws a `TypeError` unless it is a finite number of at least 0. */
  inc(n = 1): void {
    if (typeof n !== 'number' || !(n >= 0 && n < Infinity)) refuse(this.#metric, 'inc', n);
    this.#value += n;
  }

  /** Moves the value down by `n`. Throws a `TypeError` unless it is a finite number of at least 0. */
  dec(n = 1): void {
    if (typeof n !== 'number' || !(n >= 0 && n < Infinity)) refuse(this.#metric, 'dec', n);
    this.#value -= n;
  }
}

/** A bound histogram. */
export class HistogramChild {
  readonly labels: Labels;
  readonly #metric: string;
  readonly #bounds: Float64Array;
  // Doubles, because a 32-bit counter of a busy service is full within days.
  readonly #counts: Float64Array;
  readonly #exemplars: (Exemplar | undefined)[];
  #sum = 0;

  /** `bounds` are inclusive upper bounds, ascending, without +Inf. */
  constructor(metric: string, labels: Labels, bounds: Float64Array) {
    this.#metric = metric;
    this.labels = labels;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
    this.#exemplars = new Array(bounds.length + 1).fill(undefined);
  }

  /**
   * Counts `value` into its bucket; `span` (pass it for sampled spans only) becomes the bucket's exemplar, of now unless
   * another time is given (milliseconds since the epoch).
   * Throws a `TypeError` unless the value is a finite number of at least 0.
   */
  observe(value: number, span?: SpanReference, timestampMs?: number): void {
    if (typeof value !== 'number' || !(value >= 0 && value < Infinity)) refuse(this.#metric, 'observe', value);
    const bounds = this.#bounds;
    let bucket = 0;
    // Most values fall into the first buckets: counting up beats halving.
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    (this.#counts[bucket] as number)++;
    this.#sum += value;
    if (span !== undefined) this.#keep(bucket, value, span, timestampMs ?? Date.now());
  }

  /** Counts by bucket (not cumulative), their sum and number, and the buckets' newest exemplars. */
  read() {
    const counts = Array.from(this.#counts);
    let count = 0;
    for (const each of counts) count += each;
    return { counts, count, sum: this.#sum, exemplars: this.#exemplars as readonly (Exemplar | undefined)[] };
  }

  #keep(bucket: number, value: number, span: SpanReference, timestampMs: number): void {
    const kept = this.#exemplars[bucket];
    if (kept === undefined) {
      this.#exemplars[bucket] = { value, traceId: span.traceId, spanId: span.spanId, timestampMs };
      return;
    }
    kept.value = value;
    kept.traceId = span.traceId;
    kept.spanId = span.spanId;
    kept.timestampMs = timestampMs;
  }
}

function refuse(metric: string, method: string, given: unknown): never {
  const rule = method === 'set' ? 'a number' : 'a finite number of at least 0';
  throw new TypeError(`${metric}: ${method}() takes ${rule}, not ${String(given)}`);
}
