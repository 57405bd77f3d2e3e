import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { type FieldProblem, ValidationError } from '../errors/app-http-error.ts';
import { rememberValidated } from './dto.ts';
import { forbiddenField, isClosed } from './open-fields.ts';
import type { TSchema } from './type.ts';

export type Part = 'body' | 'query' | 'params';

const MAX_PROBLEMS = 50;
// What is no schema, `assertSchema` refuses.
const OPTIONS = { allErrors: true, strict: true, ownProperties: true, meta: false, validateSchema: false } as const;
const forBodies = new Ajv2020(OPTIONS);
// What stands in a URL is text: "20" is a number where the schema wants one.
const forTexts = new Ajv2020({ ...OPTIONS, coerceTypes: true, useDefaults: true });
formats.default(forBodies);
formats.default(forTexts);
// Holds schemas against that of draft-07, which makes one function where that of 2020-12 makes eight, with all that a
// route says in the same words; what is left, compiling refuses.
const forSchemas = new Ajv();
const DRAFT_07 = 'http://json-schema.org/draft-07/schema#';

/** Checks one part of a request; returns what is wrong with it, at most 50 problems. What passes is a validated DTO. */
export type PartValidator = (value: unknown) => FieldProblem[];

/** Compiles the schema of one part of a request, which `assertSchema` let pass. Throws at once when Ajv refuses it. */
export function compileValidator(part: Part, schema: TSchema): PartValidator {
  const validate: ValidateFunction = (part === 'body' ? forBodies : forTexts).compile(schema);
  const numbers = part === 'body' ? [] : numbersIn(schema);
  const isOpen = !isClosed(schema);
  return (value) => {
    for (const name of numbers) keepPlainNumber(value as Record<string, unknown>, name);
    if (!validate(value)) {
      return (validate.errors ?? []).slice(0, MAX_PROBLEMS).map((error) => toProblem(part, error));
    }
    const forbidden = isOpen ? forbiddenField(value) : undefined;
    if (forbidden !== undefined) return [forbiddenProblem(part, forbidden)];
    rememberValidated(value, schema);
    return [];
  };
}

/** Throws with Ajv's words where a schema is none. Those of answers are not compiled: answers are not validated. */
export function assertSchema(schema: TSchema): void {
  if (!forSchemas.validateSchema({ ...schema, $schema: DRAFT_07 }))
    throw new Error(`schema is invalid: ${forSchemas.errorsText()}`);
}

function numbersIn(schema: TSchema): string[] {
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> };
  return Object.keys(properties).filter((name) => ['integer', 'number'].includes(properties[name]?.type ?? ''));
}

const PLAIN_NUMBER = /^-?\d{1,20}(\.\d{1,20})?$/;

/** Ajv would also take `0x10`, ` 5` and `Infinity` for numbers; an empty text is one for nobody. */
function keepPlainNumber(value: Record<string, unknown>, name: string): void {
  const text = value[name];
  if (typeof text === 'string' && !PLAIN_NUMBER.test(text)) value[name] = '';
}

/** Throws `ValidationError` when there are problems. */
export function refuse(problems: readonly FieldProblem[]): void {
  if (problems.length > 0) throw new ValidationError(problems);
}

function toProblem(part: Part, error: ErrorObject): FieldProblem {
  const { keyword, params, message = 'is not allowed' } = error;
  const missing = params['missingProperty'] ?? params['additionalProperty'] ?? params['propertyName'];
  const field = `/${part}${error.instancePath}${missing === undefined ? '' : `/${escapePointer(String(missing))}`}`;
  const allowed = allowedBy(keyword, params);
  return {
    field: field.slice(0, 256),
    message: MESSAGES[keyword] ?? message,
    rule: keyword,
    ...(allowed === undefined ? {} : { allowed }),
  };
}

function forbiddenProblem(part: Part, path: readonly string[]): FieldProblem {
  const field = ['', part, ...path.map(escapePointer)].join('/').slice(0, 256);
  return { field, message: 'may not be the name of a field', rule: 'propertyNames' };
}

const MESSAGES: Readonly<Record<string, string>> = {
  required: 'is missing',
  additionalProperties: 'is not a known field',
  unevaluatedProperties: 'is not a known field',
};

function allowedBy(keyword: string, params: Record<string, unknown>): unknown {
  if (keyword === 'enum') return params['allowedValues'];
  return params['limit'] ?? params['type'] ?? params['format'] ?? params['pattern'] ?? params['allowedValue'];
}

/** RFC 6901 §3. */
function escapePointer(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1');
}
