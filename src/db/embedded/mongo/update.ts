import { BSONRegExp, ObjectId } from 'bson';
import { CommandError } from './command-error.ts';
import { decodeTyped, encode, type Fields, isFields, storable } from './documents.ts';
import { setAt, updatePath } from './paths.ts';
import { equalTo } from './query-operators.ts';
import { updateOperators } from './update-operators.ts';

/** A change of documents, ready to be applied. */
export interface Update {
  /** Whole documents are replaced, rather than fields changed. */
  readonly isReplacement: boolean;
  /**
   * The changed document, as bytes.
   * @throws CommandError `ImmutableField` when `_id` would change, and what the operators throw.
   */
  apply(body: Uint8Array): Uint8Array;
  /** The document to insert when an upsert finds none. `condition` is the filter, decoded by `decodeTyped`. */
  insertion(condition: Fields): Uint8Array;
}

/**
 * Prepares the `u` of an update, decoded by `decodeTyped`.
 * @throws CommandError `FailedToParse` for pipelines and unknown operators, `ConflictingUpdateOperators`
 */
export function compileUpdate(given: unknown): Update {
  if (!isFields(given)) {
    throw new CommandError(
      'FailedToParse',
      'an update must be a document; pipelines are not supported by the embedded server',
    );
  }
  const operators = Object.keys(given).filter((key) => key.startsWith('$'));
  if (operators.length === 0) return replacement(given);
  if (operators.length < Object.keys(given).length)
    throw new CommandError('FailedToParse', 'operators and fields in one update');
  return modification(given);
}

function replacement(given: Fields): Update {
  const withId = (id: unknown): Uint8Array => storable(encode(id === undefined ? given : { _id: id, ...given }));
  return {
    isReplacement: true,
    apply(body) {
      const id = decodeTyped(body)['_id'];
      if (given['_id'] !== undefined) checkId(id, given['_id']);
      return withId(id);
    },
    insertion(condition) {
      const { _id } = equalities(condition);
      if (_id !== undefined && given['_id'] !== undefined) checkId(_id, given['_id']);
      return withId(given['_id'] ?? _id ?? new ObjectId());
    },
  };
}

function modification(given: Fields): Update {
  const steps = Object.entries(given).flatMap(([operator, operands]) => {
    if (operator !== '$setOnInsert' && !Object.hasOwn(updateOperators, operator)) {
      throw new CommandError('FailedToParse', `${operator} is not supported by the embedded server`);
    }
    if (!isFields(operands)) throw new CommandError('FailedToParse', `${operator} needs a document`);
    return Object.entries(operands).map(([path, operand]) => ({ operator, path, operand }));
  });
  refuseConflicts(steps.map(({ path }) => path));

  function change(document: Fields, isInsert: boolean): Uint8Array {
    for (const { operator, path, operand } of steps) {
      if (operator !== '$setOnInsert') updateOperators[operator]?.(document, path, operand);
      else if (isInsert) setAt(document, path, operand);
    }
    return storable(encode(document));
  }
  return {
    isReplacement: false,
    apply(body) {
      const document = decodeTyped(body);
      const id = document['_id'];
      const changed = change(document, false);
      checkId(id, document['_id']);
      return changed;
    },
    insertion(condition) {
      const document = equalities(condition);
      return change(document, true);
    },
  };
}

function checkId(before: unknown, after: unknown): void {
  if (equalTo(before)(after)) return;
  throw new CommandError(
    'ImmutableField',
    "Performing an update on the path '_id' would modify the immutable field '_id'",
  );
}

function refuseConflicts(paths: readonly string[]): void {
  const taken: string[][] = [];
  for (const path of paths) {
    const parts = updatePath(path);
    if (taken.some((other) => other.every((part, at) => at >= parts.length || part === parts[at]))) {
      throw new CommandError('ConflictingUpdateOperators', `Updating the path '${path}' would create a conflict`);
    }
    taken.push(parts);
  }
}

/** What a filter says its documents contain: the start of a document that an upsert inserts. */
function equalities(condition: Fields): Fields {
  const document: Fields = {};
  for (const [path, value] of Object.entries(condition)) {
    if (path === '$and' && Array.isArray(value)) Object.assign(document, ...value.filter(isFields).map(equalities));
    else if (path.startsWith('$') || value instanceof BSONRegExp) continue;
    else if (!isFields(value) || !Object.keys(value).some((key) => key.startsWith('$'))) setAt(document, path, value);
    else if (value['$eq'] !== undefined) setAt(document, path, value['$eq']);
  }
  return document;
}
