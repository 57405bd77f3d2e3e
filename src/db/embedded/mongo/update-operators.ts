import { Int32, Timestamp } from 'bson';
import { CommandError } from './command-error.ts';
import { type Fields, isFields } from './documents.ts';
import { encodeKey, rankOf } from './key-encoding.ts';
import { calculate } from './numbers.ts';
import { getAt, setAt, unsetAt } from './paths.ts';
import { equalTo } from './query-operators.ts';

/** Changes one path of a typed document in place. */
type UpdateOperator = (document: Fields, path: string, operand: unknown) => void;

const $set: UpdateOperator = setAt;
const $unset: UpdateOperator = unsetAt;
const $inc: UpdateOperator = (document, path, by) => {
  setAt(document, path, calculate('$inc', getAt(document, path) ?? new Int32(0), by));
};
const $mul: UpdateOperator = (document, path, by) => {
  setAt(document, path, calculate('$mul', getAt(document, path) ?? new Int32(0), by));
};
const $min: UpdateOperator = (document, path, operand) => {
  const current = getAt(document, path);
  if (current === undefined || compare(operand, current) < 0) setAt(document, path, operand);
};
const $max: UpdateOperator = (document, path, operand) => {
  const current = getAt(document, path);
  if (current === undefined || compare(operand, current) > 0) setAt(document, path, operand);
};

const $currentDate: UpdateOperator = (document, path, operand) => {
  const type = isFields(operand) ? operand['$type'] : operand === true && 'date';
  if (type === 'date') setAt(document, path, new Date());
  else if (type === 'timestamp') setAt(document, path, new Timestamp({ t: Math.floor(Date.now() / 1000), i: 1 }));
  else throw new CommandError('BadValue', "$currentDate takes true, { $type: 'date' } or { $type: 'timestamp' }");
};

const $push: UpdateOperator = (document, path, operand) => {
  const { items, slice } = modifiers('$push', operand, ['$each', '$slice']);
  const all = [...arrayAt('$push', document, path), ...items];
  if (slice === undefined) return setAt(document, path, all);
  if (!(slice instanceof Int32)) throw new CommandError('BadValue', '$slice must be an integer');
  const count = slice.valueOf();
  setAt(document, path, count === 0 ? [] : count < 0 ? all.slice(count) : all.slice(0, count));
};

const $addToSet: UpdateOperator = (document, path, operand) => {
  const all = [...arrayAt('$addToSet', document, path)];
  for (const item of modifiers('$addToSet', operand, ['$each']).items) if (!all.some(equalTo(item))) all.push(item);
  setAt(document, path, all);
};

/** Removes elements that equal the operand; conditions are refused. */
const $pull: UpdateOperator = (document, path, operand) => {
  if (isFields(operand))
    throw new CommandError('BadValue', '$pull with a condition is not supported by the embedded server');
  if (getAt(document, path) === undefined) return;
  const isEqual = equalTo(operand);
  setAt(
    document,
    path,
    arrayAt('$pull', document, path).filter((item) => !isEqual(item)),
  );
};

const $pop: UpdateOperator = (document, path, operand) => {
  if (!(operand instanceof Int32) || Math.abs(operand.valueOf()) !== 1)
    throw new CommandError('FailedToParse', '$pop takes 1 or -1');
  if (getAt(document, path) === undefined) return;
  const all = arrayAt('$pop', document, path);
  setAt(document, path, operand.valueOf() === 1 ? all.slice(0, -1) : all.slice(1));
};

/** What the embedded server can do to a document; `$setOnInsert` is handled where it is known whether it inserts. */
export const updateOperators: Readonly<Record<string, UpdateOperator>> = {
  $set,
  $unset,
  $inc,
  $mul,
  $min,
  $max,
  $currentDate,
  $push,
  $addToSet,
  $pull,
  $pop,
};

function compare(a: unknown, b: unknown): number {
  return rankOf(a) - rankOf(b) || Buffer.compare(encodeKey([a]), encodeKey([b]));
}

function arrayAt(operator: string, document: Fields, path: string): readonly unknown[] {
  const value = getAt(document, path) ?? [];
  if (!Array.isArray(value)) throw new CommandError('BadValue', `${operator} needs '${path}' to be an array`);
  return value;
}

function modifiers(
  operator: string,
  operand: unknown,
  known: readonly string[],
): { items: unknown[]; slice?: unknown } {
  if (!isFields(operand) || !Object.keys(operand).some((key) => key.startsWith('$'))) return { items: [operand] };
  const unknown = Object.keys(operand).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new CommandError('BadValue', `${unknown} in ${operator} is not supported by the embedded server`);
  const items = operand['$each'];
  if (!Array.isArray(items)) throw new CommandError('BadValue', `$each in ${operator} must be an array`);
  return { items, slice: operand['$slice'] };
}
