import { diag } from '@opentelemetry/api';
import type { OnLeftOut } from './exposed-families.ts';
import { metricRegistry } from './registry.ts';

const leftOut = metricRegistry.counter(
  'okapi_metric_left_out_total',
  'Times a scrape left out a metric because it would have made the exposition ambiguous',
  ['metric'],
);
const warned = new Set<string>();

/** Counts a metric that a scrape had to leave out, and says why once for each name. */
export const reportLeftOut: OnLeftOut = (name, reason) => {
  leftOut.labels({ metric: name }).inc();
  if (warned.has(name)) return;
  warned.add(name);
  diag.warn(`Metric ${name} is left out of the exposition: ${reason}`);
};
