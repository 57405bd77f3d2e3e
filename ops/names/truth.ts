import type { RuleGroup } from './expressions.ts';
import { isAlert } from './expressions.ts';
import { namedIn } from './promql.ts';

/** What there is: of each series name, its labels with the values that were seen. */
export type Truth = Map<string, Map<string, Set<string>>>;

const TYPE = /^# TYPE (\S+) (\S+)$/;
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const OF_HISTOGRAM = ['_bucket', '_sum', '_count'];

/** What Prometheus adds to every series of a target. */
const TARGET = ['job', 'instance'];

/** Reads a scrape in the text format 0.0.4; families that have no series yet are there without labels. */
export function truthOf(scrape: string): Truth {
  const truth: Truth = new Map();
  for (const line of scrape.split('\n')) {
    const [, family, type] = TYPE.exec(line) ?? [];
    if (family !== undefined) {
      for (const suffix of type === 'histogram' ? OF_HISTOGRAM : ['']) learn(truth, family + suffix, {});
      continue;
    }
    const [, name, labels = ''] = SAMPLE.exec(line) ?? [];
    if (name === undefined) continue;
    learn(truth, name, Object.fromEntries([...labels.matchAll(LABEL)].map(([, label, value]) => [label, value])));
  }
  return truth;
}

/** Adds one series, with the labels that a target gives it. */
export function learn(truth: Truth, name: string, labels: Readonly<Record<string, string>>): void {
  const known = truth.get(name) ?? new Map<string, Set<string>>(TARGET.map((label) => [label, new Set()]));
  truth.set(name, known);
  for (const [label, value] of Object.entries(labels)) {
    const values = known.get(label) ?? new Set();
    known.set(label, values.add(value));
  }
}

/** Adds what the rules record, with the labels that they keep. */
export function learnRecorded(truth: Truth, groups: readonly RuleGroup[]): void {
  for (const rule of groups.flatMap(({ rules }) => rules)) {
    if (isAlert(rule)) continue;
    const labels = new Set(namedIn(rule.expr).grouping.filter((label) => label !== 'le'));
    truth.set(rule.record, new Map([...labels].map((label) => [label, new Set()])));
  }
}
