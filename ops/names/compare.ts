import type { Expression } from './expressions.ts';
import { type Matcher, namedIn, type Selector } from './promql.ts';
import type { Truth } from './truth.ts';

/** Labels whose values are a closed set, so that one which the code does not know is a mistake. */
const CLOSED = new Set(['endpoint', 'exception_type', 'job_name', 'dependency', 'le', 'type', 'limit', 'destination']);

/** One line for each name in an expression that there is not. */
export function unknownNames({ where, text }: Expression, truth: Truth): string[] {
  const { selectors, grouping } = namedIn(text);
  const problems = selectors.flatMap((selector) => unknownIn(selector, truth));
  const offered = new Set(selectors.flatMap(({ metric }) => [...(truth.get(metric)?.keys() ?? [])]));
  const missing = grouping.filter((label) => !offered.has(label));
  return [...problems, ...missing.map((label) => `no metric of the expression has the label ${label}`)].map(
    (problem) => `${where}: ${problem}`,
  );
}

function unknownIn({ metric, matchers }: Selector, truth: Truth): string[] {
  const labels = truth.get(metric);
  if (labels === undefined) return [`there is no metric ${metric}`];
  return matchers.flatMap((matcher) => {
    const values = labels.get(matcher.label);
    if (values === undefined) return [`${metric} has no label ${matcher.label}`];
    return askedValues(matcher)
      .filter((value) => !values.has(value))
      .map((value) => `${metric} never has ${matcher.label}="${value}"`);
  });
}

/** The values that a matcher spells out; none where it holds a pattern or a variable. */
function askedValues({ label, operator, value }: Matcher): string[] {
  if (!CLOSED.has(label) || value === '' || value.includes('$')) return [];
  const values = operator.endsWith('~') ? value.split('|') : [value];
  return values.some((each) => /[.*+?[\](){}\\^]/.test(each) && operator.endsWith('~')) ? [] : values;
}
