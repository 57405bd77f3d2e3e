import { BSONRegExp } from 'bson';
import { CommandError } from './command-error.ts';
import { encodeKey, rankOf, type TypeName, typeNameOf } from './key-encoding.ts';
import { candidatesAt } from './paths.ts';

/** What the query library asks for an operator: a test for documents, made once per query. */
type Operator = (selector: string, operand: unknown, options?: unknown) => (document: unknown) => boolean;

/** Equality in MongoDB's sense, by type and exact value, so that a `Long`, an `Int32` and a number can be equal. */
const $eq: Operator = (selector, operand) => {
  const test = equalTo(operand);
  return (document) => candidatesAt(document, selector).some(test);
};

const $in: Operator = (selector, operand) => {
  if (!Array.isArray(operand)) throw new CommandError('BadValue', '$in needs an array');
  const keys = new Set(operand.filter((item) => !(item instanceof RegExp)).map(keyText));
  const patterns = operand.filter((item) => item instanceof RegExp);
  const test = (value: unknown) =>
    keys.has(keyText(value)) || (typeof value === 'string' && patterns.some((pattern) => pattern.test(value)));
  return (document) => candidatesAt(document, selector).some(test);
};

const $all: Operator = (selector, operand) => {
  if (!Array.isArray(operand)) throw new CommandError('BadValue', '$all needs an array');
  const tests = operand.map((item) =>
    isOperatorObject(item) ? unsupported('$all with operators') : $in(selector, [item]),
  );
  return (document) => tests.length > 0 && tests.every((test) => test(document));
};

const TYPES: Record<string, TypeName> = {
  number: 'number',
  string: 'string',
  object: 'object',
  array: 'array',
  binData: 'binary',
  objectId: 'objectId',
  bool: 'boolean',
  date: 'date',
  null: 'null',
  regex: 'regex',
  timestamp: 'timestamp',
};

/** By name only, and not `int`, `long` or `double`: decoded for a query, numbers have lost that difference. */
const $type: Operator = (selector, operand) => {
  const names = (Array.isArray(operand) ? operand : [operand]).map((name) =>
    typeof name === 'string' && Object.hasOwn(TYPES, name) ? TYPES[name] : unsupported(`$type ${JSON.stringify(name)}`),
  );
  return (document) =>
    candidatesAt(document, selector).some((value) => value !== undefined && names.includes(typeNameOf(value)));
};

/** Overrides of the query library's comparisons, which know JavaScript's types and not BSON's. */
export const comparisonOperators = {
  $eq,
  $ne: negated($eq),
  $in,
  $nin: negated($in),
  $gt: ordered((order) => order > 0, false),
  $gte: ordered((order) => order >= 0, true),
  $lt: ordered((order) => order < 0, false),
  $lte: ordered((order) => order <= 0, true),
  $all,
  $type,
};

function negated(operator: Operator): Operator {
  return (selector, operand) => {
    const test = operator(selector, operand);
    return (document) => !test(document);
  };
}

/** NaN is below nothing and above nothing, though it is equal to itself and sorts first. */
function ordered(accepts: (order: number) => boolean, orEqual: boolean): Operator {
  return (selector, operand) => {
    if (operand instanceof RegExp || operand instanceof BSONRegExp) unsupported('comparing with a regular expression');
    const [rank, key, nan] = [rankOf(operand), encodeKey([operand]), Number.isNaN(operand)];
    const test = (value: unknown) => {
      if (rankOf(value) !== rank) return false;
      if (nan || Number.isNaN(value)) return orEqual && nan && Number.isNaN(value);
      return accepts(Buffer.compare(encodeKey([value]), key));
    };
    return (document) => candidatesAt(document, selector).some(test);
  };
}

/** A test for being equal, in BSON's sense, to `operand`. */
export function equalTo(operand: unknown): (value: unknown) => boolean {
  const rank = rankOf(operand);
  const key = encodeKey([operand]);
  return (value) =>
    (value === operand && typeof value === 'string') || (rankOf(value) === rank && encodeKey([value]).equals(key));
}

function keyText(value: unknown): string {
  return encodeKey([value]).toString('latin1');
}

function isOperatorObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).some((key) => key.startsWith('$'));
}

function unsupported(what: string): never {
  throw new CommandError('BadValue', `${what} is not supported by the embedded server`);
}
