import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { familyName, type MetricKind, namesTakenBy, unitWordOf } from './names.ts';
import { kindOf, prometheusName } from './otel-names.ts';
import { OKAPI_SCOPE } from './producer.ts';

/** Everything that is shown under one name, whichever scopes it came from. */
export type ExposedFamily = {
  /** As the 0.0.4 format shows it; also what a prefix is compared with, whatever the format. */
  readonly name: string;
  /** As OpenMetrics shows it: a counter's without `_total`. */
  readonly family: string;
  readonly kind: MetricKind;
  readonly help: string;
  /** The unit word that ends the family's name, where one does. */
  readonly unit: string | undefined;
  /** Whether it is one of our own instruments, whose labels are shown as they are. */
  readonly isOwn: boolean;
  readonly metrics: MetricData[];
};

/** Told of each metric that could not be shown: its name and why. */
export type OnLeftOut = (name: string, reason: string) => void;

/**
 * Sorts what was collected into families by name. Our own come first, so that nothing an SDK scope carries can change or
 * displace them; a metric that would make the exposition ambiguous is left out and told of.
 */
export function exposedFamilies(collected: ResourceMetrics, prefix: string, onLeftOut: OnLeftOut): ExposedFamily[] {
  const families = new Map<string, ExposedFamily>();
  const owners = new Map<string, string>();
  const own = collected.scopeMetrics.filter(({ scope }) => scope === OKAPI_SCOPE);
  const others = collected.scopeMetrics.filter(({ scope }) => scope !== OKAPI_SCOPE);
  for (const { scope, metrics } of [...own, ...others]) {
    for (const metric of metrics) {
      const candidate = familyOf(metric, scope === OKAPI_SCOPE);
      if (candidate === undefined) {
        onLeftOut(metric.descriptor.name, 'exponential histograms have no place in the text formats');
        continue;
      }
      const known = families.get(candidate.name);
      if (known !== undefined && known.kind === candidate.kind && !known.isOwn) {
        known.metrics.push(metric);
        continue;
      }
      const taken = namesTakenBy(candidate.kind, candidate.name);
      const owner = taken.map((name) => owners.get(name)).find((name) => name !== undefined);
      if (owner !== undefined) {
        onLeftOut(
          candidate.name,
          `its series would be mistaken for those of the ${families.get(owner)?.kind} ${owner}`,
        );
        continue;
      }
      for (const name of taken) owners.set(name, candidate.name);
      families.set(candidate.name, candidate);
    }
  }
  return [...families.values()]
    .filter(({ name }) => name.startsWith(prefix))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function familyOf(metric: MetricData, isOwn: boolean): ExposedFamily | undefined {
  const kind = kindOf(metric);
  if (kind === undefined) return undefined;
  const { name: ownName, description } = metric.descriptor;
  const { name, unit } = isOwn ? { name: ownName, unit: unitWordOf(kind, ownName) } : prometheusName(metric, kind);
  const help = description === '' ? 'description missing' : description;
  return { name, family: familyName(kind, name), kind, help, unit, isOwn, metrics: [metric] };
}
