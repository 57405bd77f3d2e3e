type JsonSchema = Readonly<Record<string, unknown>>;

/** Values of the formats that stand in schemas, as an example shows them. */
const BY_FORMAT: Readonly<Record<string, string>> = {
  uuid: '7b84c50e-aabd-45ee-9682-ba0c64f005a7',
  'date-time': '2026-01-01T00:00:00.000Z',
  date: '2026-01-01',
  time: '00:00:00Z',
  email: 'ada@example.org',
  uri: 'https://example.org/',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  hostname: 'example.org',
};

/**
 * A value that a schema allows: its own `examples`, `default` or `const` where it has them, else one made from its type
 * and bounds. A `pattern` is not solved: give such a schema `examples`.
 */
export function exampleOf(schema: object): unknown {
  const given = schema as JsonSchema;
  if (Array.isArray(given['examples'])) return given['examples'][0];
  for (const keyword of ['const', 'default']) if (keyword in given) return given[keyword];
  if (Array.isArray(given['enum'])) return given['enum'][0];
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    const parts = given[keyword];
    if (Array.isArray(parts)) return exampleOf(parts[0]);
  }
  switch (given['type']) {
    case 'object':
      return exampleOfObject(given);
    case 'array':
      return exampleOfArray(given);
    case 'string':
      return exampleOfString(given);
    case 'integer':
    case 'number':
      return given['minimum'] ?? 0;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return {};
  }
}

function exampleOfObject({ properties = {} }: JsonSchema): unknown {
  return Object.fromEntries(Object.entries(properties as object).map(([name, inner]) => [name, exampleOf(inner)]));
}

function exampleOfArray({ items = {}, minItems = 1 }: JsonSchema): unknown {
  return Array.from({ length: Math.max(1, minItems as number) }, () => exampleOf(items as object));
}

function exampleOfString({ format, minLength = 0, maxLength = Number.POSITIVE_INFINITY }: JsonSchema): string {
  const text = BY_FORMAT[format as string] ?? 'text';
  return text.padEnd(minLength as number, '.').slice(0, maxLength as number);
}
