import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** A PromQL expression and where it stands, such as `ops/grafana/dashboards/service.json: Latency`. */
export type Expression = { readonly where: string; readonly text: string };

export type AlertRule = {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};
export type RecordingRule = { readonly record: string; readonly expr: string };
export type RuleGroup = { readonly name: string; readonly rules: readonly (AlertRule | RecordingRule)[] };

type Target = { readonly expr: string };
type Panel = { readonly title: string; readonly targets?: readonly Target[]; readonly panels?: readonly Panel[] };
export type Dashboard = {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
};

export const ROOT = join(import.meta.dirname, '..', '..');
export const RULES_FILE = 'ops/prometheus/okapi.rules.yml';
export const RUNBOOK_FILE = 'docs/runbook.md';
const LABEL_VALUES = /^label_values\((.*),\s*(\w+)\)$/;

/** The groups of the shipped rules. */
export function readRules(): readonly RuleGroup[] {
  return (parse(readFileSync(join(ROOT, RULES_FILE), 'utf8')) as { groups: RuleGroup[] }).groups;
}

/** The shipped dashboards, by file. */
export function readDashboards(): ReadonlyMap<string, Dashboard> {
  const files = globSync('ops/grafana/dashboards/*.json', { cwd: ROOT }).sort();
  return new Map(files.map((file) => [file, JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as Dashboard]));
}

export function isAlert(rule: AlertRule | RecordingRule): rule is AlertRule {
  return 'alert' in rule;
}

/** The expressions of all rules. */
export function ruleExpressions(groups: readonly RuleGroup[]): Expression[] {
  return groups.flatMap(({ rules }) =>
    rules.map((rule) => ({ where: `${RULES_FILE}: ${isAlert(rule) ? rule.alert : rule.record}`, text: rule.expr })),
  );
}

/** The expressions of panels and annotations. */
export function dashboardExpressions(file: string, { panels, annotations }: Dashboard): Expression[] {
  const ofPanel = ({ title, targets = [], panels: inner = [] }: Panel): Expression[] => [
    ...targets.map(({ expr }) => ({ where: `${file}: ${title}`, text: expr })),
    ...inner.flatMap(ofPanel),
  ];
  return [
    ...panels.flatMap(ofPanel),
    ...annotations.list.map(({ name, expr }) => ({ where: `${file}: ${name}`, text: expr })),
  ];
}

/** The choices that a dashboard offers, as expressions that need the label they list. */
export function variableExpressions(file: string, { templating }: Dashboard): Expression[] {
  return templating.list.flatMap(({ name, query }) => {
    const [, selector, label] = LABEL_VALUES.exec((query as { query?: string }).query ?? '') ?? [];
    return selector === undefined ? [] : [{ where: `${file}: $${name}`, text: `count by (${label}) (${selector})` }];
  });
}

/** The blocks marked `promql` in a document, one expression each. */
export function documentExpressions(file: string): Expression[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/^```promql\n([\s\S]*?)^```$/gm)].map((match) => ({
    where: `${file}: line ${text.slice(0, match.index).split('\n').length}`,
    text: match[1] ?? '',
  }));
}
