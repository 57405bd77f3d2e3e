import { CounterChild, GaugeChild, HistogramChild, type SpanReference } from './children.ts';
import { ChildTable, type Labels } from './labels.ts';
import type { MetricKind } from './names.ts';

/** What an instrument is called and what it looks like; two of the same shape are one instrument. */
export type Shape<L extends string = string> = {
  readonly kind: MetricKind;
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
};

/** Called at collection; hands on the present figures by calling `report` once for each set of labels. */
export type Observe<L extends string> = (report: (value: number, labels: Labels<L>) => void) => void;

abstract class Instrument<L extends string, Child> {
  readonly shape: Shape<L>;
  protected readonly table: ChildTable<L, Child>;

  protected constructor(shape: Shape<L>, create: (labels: Labels) => Child) {
    this.shape = shape;
    this.table = new ChildTable(shape.name, shape.labelNames, create);
    // Without labels there is one series, and it is there from the first scrape on.
    if (shape.labelNames.length === 0) this.table.get({} as Labels<L>);
  }

  /**
   * The child for these label values, bound: keep it where it is used often. Throws a `TypeError` that names the
   * metric, the label and the allowed ones when a label is missing, unknown or not a string.
   */
  labels(values: Labels<L> = {} as Labels<L>): Child {
    return this.table.get(values);
  }

  /** How often label values beyond the bound were answered with the shared overflow child. */
  get overflowCount(): number {
    return this.table.overflowCount;
  }

  series(): Iterable<Child> {
    return this.table.all();
  }
}

/** Counts up. Without labels it can be used as its own child. */
export class Counter<L extends string = string> extends Instrument<L, CounterChild> {
  constructor(shape: Shape<L>) {
    super(shape, (labels) => new CounterChild(shape.name, labels));
  }

  inc(n = 1): void {
    this.labels().inc(n);
  }
}

/** Goes up and down. Without labels it can be used as its own child. */
export class Gauge<L extends string = string> extends Instrument<L, GaugeChild> {
  constructor(shape: Shape<L>) {
    super(shape, (labels) => new GaugeChild(shape.name, labels));
  }

  set(value: number): void {
    this.labels().set(value);
  }

  inc(n = 1): void {
    this.labels().inc(n);
  }

  dec(n = 1): void {
    this.labels().dec(n);
  }
}

/** Counts values into buckets. Without labels it can be used as its own child. */
export class Histogram<L extends string = string> extends Instrument<L, HistogramChild> {
  readonly buckets: readonly number[];

  constructor(shape: Shape<L>, buckets: readonly number[]) {
    const bounds = Float64Array.from(buckets);
    super(shape, (labels) => new HistogramChild(shape.name, labels, bounds));
    this.buckets = buckets;
  }

  observe(value: number, span?: SpanReference): void {
    this.labels().observe(value, span);
  }
}

/** A counter or gauge whose figures others keep: they are asked for at each collection, and nothing is kept between. */
export class Observable<L extends string = string> {
  readonly shape: Shape<L>;
  readonly #callbacks = new Set<Observe<L>>();

  constructor(shape: Shape<L>) {
    this.shape = shape;
  }

  /** Asks `observe` at each collection from now on. Returns what ends that. */
  addCallback(observe: Observe<L>): () => void {
    this.#callbacks.add(observe);
    return () => this.#callbacks.delete(observe);
  }

  /** What the callbacks report now. A failing one is handed to `onError` and takes nothing else with it. */
  series(onError: (error: unknown) => void): Iterable<GaugeChild> {
    const { kind, name, labelNames } = this.shape;
    const table = new ChildTable(name, labelNames, (labels) => new GaugeChild(name, labels));
    for (const observe of this.#callbacks) {
      try {
        observe((value, labels) => {
          if (kind === 'counter' && !(value >= 0)) throw new TypeError(`${name}: a counter cannot be ${value}`);
          table.get(labels).set(value);
        });
      } catch (error) {
        onError(error);
      }
    }
    return table.all();
  }
}
