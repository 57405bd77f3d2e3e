const OPERATIONS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'BEGIN', 'COMMIT', 'ROLLBACK'] as const;
export type Operation = (typeof OPERATIONS)[number] | 'OTHER';

const LEADING = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*([A-Za-z]+)/;
const known = new Map<string, Operation>();
const MAX_KNOWN = 2000;

/** What a statement does, by its verb; a `WITH` counts as its main verb. Read once for each text. */
export function operationOf(text: string): Operation {
  let operation = known.get(text);
  if (operation === undefined) {
    operation = parse(text);
    if (known.size < MAX_KNOWN) known.set(text, operation);
  }
  return operation;
}

function parse(text: string): Operation {
  const verb = LEADING.exec(text)?.[1]?.toUpperCase();
  if (verb === 'WITH') return mainVerb(text);
  return OPERATIONS.find((operation) => operation === verb) ?? 'OTHER';
}

/** The first of the four verbs that stands outside every parenthesis. */
function mainVerb(text: string): Operation {
  let depth = 0;
  for (const [token] of text.matchAll(/[()]|'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\/|"[^"]*"|\b[A-Za-z]+\b/g)) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (depth === 0) {
      const verb = OPERATIONS.slice(0, 4).find((operation) => operation === token.toUpperCase());
      if (verb !== undefined) return verb;
    }
  }
  return 'OTHER';
}
