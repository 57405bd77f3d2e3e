import { Counter, Gauge, Histogram, Observable, type Shape } from './instruments.ts';
import { assertLabelNames, assertMetricName, type MetricKind, namesTakenBy } from './names.ts';

/** Any instrument, seen from the side that reads it. */
export type AnyInstrument = Counter | Gauge | Histogram | Observable;

/** All instruments of a process, by name. */
export class MetricRegistry {
  readonly #instruments = new Map<string, { instrument: AnyInstrument; fingerprint: string }>();
  readonly #owners = new Map<string, string>();

  /** The same name with the same shape gives the same instrument; with another shape it throws. */
  counter<const L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return this.#register('counter', name, help, labelNames, 'recorded', (shape) => new Counter(shape));
  }

  gauge<const L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> {
    return this.#register('gauge', name, help, labelNames, 'recorded', (shape) => new Gauge(shape));
  }

  /** `buckets` are inclusive upper bounds of at least 0, ascending; +Inf is there by itself. */
  histogram<const L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[],
    { buckets }: { readonly buckets: readonly number[] },
  ): Histogram<L> {
    assertBuckets(name, buckets);
    const bounds = Object.freeze([...buckets]);
    const extra = `buckets ${bounds.join(' ')}`;
    return this.#register('histogram', name, help, labelNames, extra, (shape) => new Histogram(shape, bounds));
  }

  /** A counter whose totals are asked for at collection. The totals must never go down. */
  observableCounter<const L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) {
    return this.#register('counter', name, help, labelNames, 'observed', (shape) => new Observable<L>(shape));
  }

  /** A gauge whose values are asked for at collection. */
  observableGauge<const L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) {
    return this.#register('gauge', name, help, labelNames, 'observed', (shape) => new Observable<L>(shape));
  }

  *instruments(): Generator<AnyInstrument, void, void> {
    for (const { instrument } of this.#instruments.values()) yield instrument;
  }

  #register<L extends string, I>(
    kind: MetricKind,
    name: string,
    help: string,
    labelNames: readonly L[],
    extra: string,
    create: (shape: Shape<L>) => I,
  ): I {
    assertMetricName(name);
    assertLabelNames(name, labelNames);
    if (typeof help !== 'string' || help.trim() === '') throw new TypeError(`${name}: help must say what is measured`);
    const fingerprint = `${kind} (${extra}), labels [${[...labelNames].sort().join(', ')}], help ${JSON.stringify(help)}`;
    const known = this.#instruments.get(name);
    if (known !== undefined) {
      if (known.fingerprint === fingerprint) return known.instrument as I;
      throw new Error(`${name} is registered with another shape: ${known.fingerprint}; asked for: ${fingerprint}`);
    }
    const taken = namesTakenBy(kind, name);
    const owner = taken.map((each) => this.#owners.get(each)).find((each) => each !== undefined);
    if (owner !== undefined) throw new Error(`${name} clashes with ${owner}: their series would have the same name`);
    const instrument = create(Object.freeze({ kind, name, help, labelNames: Object.freeze([...labelNames]) }));
    for (const each of taken) this.#owners.set(each, name);
    this.#instruments.set(name, { instrument: instrument as AnyInstrument, fingerprint });
    return instrument;
  }
}

function assertBuckets(name: string, buckets: readonly number[]): void {
  const ascending = buckets.every(
    (bound, index) => Number.isFinite(bound) && bound >= 0 && (index === 0 || bound > (buckets[index - 1] ?? bound)),
  );
  if (buckets.length > 0 && ascending) return;
  throw new TypeError(`${name}: buckets must be finite numbers of at least 0, ascending, at least one`);
}

/** The instruments of this process. */
export const metricRegistry = new MetricRegistry();
