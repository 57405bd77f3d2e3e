/** A selector of a PromQL expression: the metric and what it asks of its labels. */
export type Selector = { readonly metric: string; readonly matchers: readonly Matcher[] };
export type Matcher = { readonly label: string; readonly operator: string; readonly value: string };

/** What an expression names. `grouping` are the labels of its `by`, `without`, `on`, `ignoring` and `group_*` clauses. */
export type Named = { readonly selectors: readonly Selector[]; readonly grouping: readonly string[] };

const TOKEN = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[a-zA-Z_:][\w:]*|\d[\w.]*|=~|!~|!=|[^\s]/g;
const CLAUSES = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const AGGREGATORS = new Set('sum min max avg group stddev stdvar count count_values bottomk topk quantile'.split(' '));
const KEYWORDS = new Set(['and', 'or', 'unless', 'offset', 'bool', 'inf', 'nan', 'atan2']);

/** The metrics and labels in a PromQL expression; variables of Grafana may stand in strings and ranges. */
export function namedIn(expression: string): Named {
  const tokens: readonly string[] = expression.replaceAll(/\[[^\]]*\]/g, '').match(TOKEN) ?? [];
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    if (!/^[a-zA-Z_:]/.test(token)) continue;
    const next = tokens[at + 1];
    if (CLAUSES.has(token)) {
      const end = next === '(' ? tokens.indexOf(')', at) : at;
      grouping.push(...tokens.slice(at + 2, end).filter((each) => each !== ','));
      at = end;
    } else if (next !== '(' && !AGGREGATORS.has(token) && !KEYWORDS.has(token.toLowerCase())) {
      const end = next === '{' ? tokens.indexOf('}', at) : at;
      selectors.push({ metric: token, matchers: matchersIn(tokens.slice(at + 2, end)) });
      at = end;
    }
  }
  return { selectors, grouping };
}

function matchersIn(tokens: readonly string[]): Matcher[] {
  const matchers: Matcher[] = [];
  for (let at = 0; at + 2 < tokens.length; at += 4) {
    const [label = '', operator = '', value = ''] = tokens.slice(at, at + 3);
    matchers.push({ label, operator, value: value.slice(1, -1) });
  }
  return matchers;
}
