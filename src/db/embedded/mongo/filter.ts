import { BSONRegExp } from 'bson';
import { Context } from 'mingo/core';
import { $elemMatch, $size } from 'mingo/operators/query/array';
import { $exists } from 'mingo/operators/query/element';
import { $regex } from 'mingo/operators/query/evaluation';
import { $and, $nor, $not, $or } from 'mingo/operators/query/logical';
import { Query } from 'mingo/query';
import { asBadValue, CommandError } from './command-error.ts';
import { type Fields, isFields } from './documents.ts';
import { comparisonOperators } from './query-operators.ts';

/** A condition on documents, ready to be asked. */
export interface Filter {
  /** The condition as data, for the choice of an index. */
  readonly condition: Fields;
  /** Whether a document, decoded by `decode`, fulfils it. */
  test(document: Fields): boolean;
}

const context = Context.init({
  query: { ...comparisonOperators, $and, $or, $nor, $not, $exists, $size, $elemMatch, $regex },
});

/**
 * Prepares a filter as the client sent it, decoded by `decode`.
 * @throws CommandError `BadValue` for what the embedded server does not know, such as `$where`, `$expr` and `$text`.
 */
export function compileFilter(given: unknown): Filter {
  if (given !== undefined && !isFields(given)) throw new CommandError('TypeMismatch', 'a filter must be a document');
  const { $comment: _, ...condition } = withPatterns(given ?? {});
  const query = asBadValue(() => new Query(condition, { context, scriptEnabled: false }));
  return { condition, test: (document) => asBadValue(() => query.test(document)) };
}

/** Puts JavaScript's regular expressions where BSON's stand for a pattern, and leaves those that stand for a value. */
function withPatterns(filter: Fields): Fields {
  return Object.fromEntries(
    Object.entries(filter).map(([key, value]) => {
      if (key === '$and' || key === '$or' || key === '$nor') {
        if (!Array.isArray(value) || value.length === 0 || !value.every(isFields)) {
          throw new CommandError('BadValue', `${key} must be a nonempty array of documents`);
        }
        return [key, value.map(withPatterns)];
      }
      return [key, conditionWithPatterns(value)];
    }),
  );
}

function conditionWithPatterns(value: unknown): unknown {
  if (value instanceof BSONRegExp) return toPattern(value);
  if (!isFields(value) || !Object.keys(value).some((key) => key.startsWith('$'))) return value;
  return Object.fromEntries(
    Object.entries(value).map(([operator, operand]) => {
      if (operator === '$not') return [operator, conditionWithPatterns(operand)];
      if (operator === '$elemMatch' && isFields(operand)) return [operator, withPatterns(operand)];
      if (operator === '$regex') return [operator, operand instanceof BSONRegExp ? toPattern(operand) : operand];
      if (Array.isArray(operand))
        return [operator, operand.map((item) => (item instanceof BSONRegExp ? toPattern(item) : item))];
      return [operator, operand];
    }),
  );
}

function toPattern({ pattern, options }: BSONRegExp): RegExp {
  if (/[^ims]/.test(options))
    throw new CommandError('BadValue', `regular expression options '${options}' are not supported`);
  return asBadValue(() => new RegExp(pattern, options));
}
