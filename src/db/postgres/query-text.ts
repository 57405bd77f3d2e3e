// In this order: comments and quoted names stay as they are, literals become `?`, and so do numbers that are no part of
// a name or a placeholder.
const TOKENS =
  /--[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"]|"")*"|\$\d+|(\$(?:[A-Za-z_]\w*)?\$)[\s\S]*?\1|(?:\b[eE])?'(?:[^'\\]|''|\\[\s\S])*'|[A-Za-z_][\w$]*|\d[\w.]*/g;

/** The statement as telemetry may show it: values that stand in its text are replaced by `?`, placeholders stay. */
export function withoutLiterals(text: string): string {
  return text
    .replace(TOKENS, (token) => (/^(?:\$[^\d]|[eE]?'|\d)/.test(token) ? '?' : token))
    .replace(/\s+/g, ' ')
    .trim();
}

const TABLE = /\b(?:from|join|into|update)\s+(?:only\s+)?"?([a-z_][\w.]*)"?/gi;
const MAX_TABLES = 3;

/** What a statement does and to which tables (`SELECT sessions users`), for the name of its span. */
export function summaryOf(operation: string, text: string): string {
  const tables = new Set<string>();
  for (const [, table] of withoutLiterals(text).matchAll(TABLE)) {
    if (table !== undefined && tables.size < MAX_TABLES) tables.add(table.toLowerCase());
  }
  return [operation, ...tables].join(' ');
}
