/** One value for each label of a family. */
export type Labels<L extends string = string> = Readonly<Record<L, string>>;

/** The most children a family has; further label values share one overflow child, as in the OpenTelemetry SDK. */
export const MAX_CHILDREN = 2000;

/** The labels of the overflow child, and nothing else. */
export const OVERFLOW_LABELS: Labels = Object.freeze({ otel_metric_overflow: 'true' });

/** The children of one family by their label values: made once, found again, bounded. */
export class ChildTable<L extends string, Child> {
  readonly #metric: string;
  readonly #labelNames: readonly L[];
  readonly #create: (labels: Labels) => Child;
  readonly #children = new Map<string, Child>();
  #overflow: Child | undefined;
  /** How often a look-up was answered with the overflow child. */
  overflowCount = 0;

  constructor(metric: string, labelNames: readonly L[], create: (labels: Labels) => Child) {
    this.#metric = metric;
    this.#labelNames = labelNames;
    this.#create = create;
  }

  /** Throws a `TypeError` that names the metric and its labels when one is missing, unknown or not a string. */
  get(values: Labels<L>): Child {
    const key = this.#keyOf(values);
    const known = this.#children.get(key);
    if (known !== undefined) return known;
    if (this.#children.size >= MAX_CHILDREN) {
      this.overflowCount++;
      this.#overflow ??= this.#create(OVERFLOW_LABELS);
      return this.#overflow;
    }
    // Lone surrogates have no UTF-8: two of them would become one and the same series on the wire.
    const labels = Object.fromEntries(this.#labelNames.map((name) => [name, values[name].toWellFormed()]));
    const child = this.#create(Object.freeze(labels));
    this.#children.set(key, child);
    return child;
  }

  *all(): Generator<Child, void, void> {
    yield* this.#children.values();
    if (this.#overflow !== undefined) yield this.#overflow;
  }

  /** Lengths stand before the values, so that no two sets of values share a key. */
  #keyOf(values: Labels<L>): string {
    let key = '';
    for (const name of this.#labelNames) {
      const value: unknown = values[name];
      if (typeof value !== 'string') this.#refuse(value === undefined ? `label "${name}" is missing` : notText(name));
      const text = value.toWellFormed();
      key += `${text.length}:${text}`;
    }
    for (const name of Object.keys(values)) {
      if (!this.#labelNames.includes(name as L)) this.#refuse(`label "${name}" is unknown`);
    }
    return key;
  }

  #refuse(problem: string): never {
    const allowed = this.#labelNames.length === 0 ? 'no labels' : `exactly ${this.#labelNames.join(', ')}`;
    throw new TypeError(`${this.#metric}: ${problem}; it takes ${allowed}`);
  }
}

function notText(name: string): string {
  return `the value of label "${name}" is not a string`;
}
