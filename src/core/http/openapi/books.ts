import { StartupError } from '../../errors/startup-error.ts';

type Json = Readonly<Record<string, unknown>>;

/** What stands in these is a value, not a schema. */
const VALUES = new Set(['const', 'default', 'enum', 'examples', 'required']);
const NAME = /^[A-Z][A-Za-z0-9]*$/;

const text = (more: object = {}) => ({ type: 'string', ...more });

/** `meta` of every answer; its trace id is missing where no trace is kept. */
const META = {
  type: 'object',
  required: ['timestamp', 'success', 'request_id'],
  properties: {
    timestamp: text({ format: 'date-time', description: 'When the answer was made' }),
    success: { type: 'boolean' },
    request_id: text({ description: 'As in `X-Request-ID`; under it the request is found in the logs' }),
    trace_id: text({ pattern: '^[0-9a-f]{32}$', description: 'The trace that the request belongs to' }),
  },
};

const STANDARD: Readonly<Record<string, Json>> = {
  Meta: META,
  PageMeta: {
    ...META,
    required: [...META.required, 'page'],
    properties: {
      ...META.properties,
      page: {
        type: 'object',
        required: ['limit', 'next_cursor'],
        properties: {
          limit: { type: 'integer', minimum: 1, maximum: 100 },
          next_cursor: { type: ['string', 'null'], description: 'The `cursor` of the next page; null on the last' },
        },
        additionalProperties: false,
      },
    },
  },
  FieldProblem: {
    type: 'object',
    required: ['field', 'message', 'rule'],
    properties: {
      field: text({ description: 'What it is about, as a JSON pointer (RFC 6901)' }),
      message: text(),
      rule: text({ description: 'The rule that is not met, as a machine word' }),
      allowed: { description: 'What would be allowed, where it can be said' },
    },
    additionalProperties: false,
  },
  Problem: {
    description: 'Every error, in the shape of RFC 9457. Clients switch on `code`, never on the title.',
    type: 'object',
    required: ['type', 'title', 'status', 'instance', 'code', 'meta'],
    properties: {
      type: text({ format: 'uri' }),
      title: text(),
      status: { type: 'integer', minimum: 400, maximum: 599 },
      detail: text(),
      instance: text({ description: 'The path that was asked for' }),
      code: text({ description: 'Stable machine word' }),
      errors: { type: ['array', 'object'], description: 'Every problem of the request, where there are several' },
      meta: { $ref: '#/components/schemas/Meta' },
    },
    additionalProperties: false,
  },
};

/** The answers of a document that several operations share, described once. */
export class ResponseBook {
  readonly #names = new Map<string, string>();
  readonly #responses: Record<string, Json> = {};

  /** A reference to `response`, under `name` or, where another one is called so, `name` and a number. */
  refer(name: string, response: Json): Json {
    const text = JSON.stringify(response);
    const known = this.#names.get(text) ?? this.#freeName(name);
    this.#names.set(text, known);
    this.#responses[known] = response;
    return { $ref: `#/components/responses/${known}` };
  }

  get all(): Readonly<Record<string, Json>> {
    return this.#responses;
  }

  #freeName(name: string): string {
    for (let number = 1; ; number++) {
      const numbered = number === 1 ? name : `${name}${number}`;
      if (!(numbered in this.#responses)) return numbered;
    }
  }
}

/** The named schemas of a document. A schema with a name for a `title`, such as `UserView`, is described once. */
export class SchemaBook {
  readonly #schemas = new Map<string, Json>(Object.entries(STANDARD));

  /** A copy of `schema` that refers to the named ones in it. Throws `StartupError` when two have the same name. */
  refer(schema: object): Json {
    const { title } = schema as { title?: unknown };
    const copy = this.#copy(schema);
    if (typeof title !== 'string' || !NAME.test(title)) return copy;
    const known = this.#schemas.get(title);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(copy)) {
      throw new StartupError(`Two schemas have the title ${title}: rename one of them`);
    }
    this.#schemas.set(title, copy);
    return { $ref: `#/components/schemas/${title}` };
  }

  /** By name, sorted. */
  get all(): Readonly<Record<string, Json>> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #copy(schema: object): Json {
    return Object.fromEntries(
      Object.entries(schema).map(([key, value]) => [key, VALUES.has(key) ? value : this.#copyValue(key, value)]),
    );
  }

  #copyValue(key: string, value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((each) => this.#copyValue('items', each));
    // The keys of these are names, not keywords.
    if (key !== 'properties' && key !== 'patternProperties') return this.refer(value);
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.refer(inner as object)]));
  }
}

/** What the operations of a document share. */
export type Books = { readonly schemas: SchemaBook; readonly responses: ResponseBook };
