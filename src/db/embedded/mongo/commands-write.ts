import {
  type Command,
  type CommandContext,
  type CommandDefinition,
  checkStatement,
  collectionName,
} from './command.ts';
import { CommandError } from './command-error.ts';
import { decode, decodeTyped, type Fields, storable } from './documents.ts';
import { compileFilter } from './filter.ts';
import { applyTo, idsOf, insertMissing, target } from './modify.ts';
import { search } from './search.ts';
import type { Store } from './store.ts';
import { compileUpdate } from './update.ts';

const ORDERED = ['ordered', 'bypassDocumentValidation'];

/** Commands that write documents. Each is one transaction of the store: answered means on the disk. */
export const writeCommands: Readonly<Record<string, CommandDefinition>> = {
  insert: { fields: ['documents', ...ORDERED], run: insert },
  update: { fields: ['updates', ...ORDERED], run: update },
  delete: { fields: ['deletes', ...ORDERED], run: remove },
};

function insert(command: Command, { store }: CommandContext): Fields {
  const documents = command.list('documents');
  return store.transaction(() => {
    const collection = store.catalog.ensure(command.database, collectionName(command));
    let n = 0;
    const writeErrors = each(command, documents, (document) => {
      store.insert(collection, storable(document));
      n += 1;
    });
    return { n, ...writeErrors, ok: 1 };
  });
}

function update(command: Command, { store }: CommandContext): Fields {
  const statements = command.list('updates');
  return store.transaction(() => {
    const total = { n: 0, nModified: 0 };
    const upserted: Fields[] = [];
    const writeErrors = each(command, statements, (statement, index) => {
      const result = updateOne(command, store, statement);
      total.n += result.matched;
      total.nModified += result.modified;
      if (result.upserted) upserted.push({ index, _id: result.upserted['_id'] });
    });
    return {
      n: total.n + upserted.length,
      nModified: total.nModified,
      ...(upserted.length > 0 && { upserted }),
      ...writeErrors,
      ok: 1,
    };
  });
}

function updateOne(command: Command, store: Store, statement: Uint8Array) {
  const plain = decode(statement);
  checkStatement('update.updates', plain, ['q', 'u', 'multi', 'upsert']);
  const typed = decodeTyped(statement);
  const change = compileUpdate(typed['u']);
  const multi = plain['multi'] === true;
  if (multi && change.isReplacement)
    throw new CommandError('FailedToParse', 'multi update is not supported for replacement-style update');
  const collection = target(command, store, plain['upsert']);
  if (!collection) return { matched: 0, modified: 0, upserted: undefined };
  const found = idsOf(search(store, collection, compileFilter(plain['q']), { limit: multi ? 0 : 1 }));
  let modified = 0;
  for (const id of found) if (applyTo(store, collection, change, id)) modified += 1;
  const isUpsert = found.length === 0 && plain['upsert'] === true;
  const inserted = isUpsert ? insertMissing(store, collection, change, typed['q'] as Fields) : undefined;
  return { matched: found.length, modified, upserted: inserted && decodeTyped(inserted) };
}

function remove(command: Command, { store }: CommandContext): Fields {
  const statements = command.list('deletes');
  return store.transaction(() => {
    const collection = store.catalog.find(command.database, collectionName(command));
    let n = 0;
    const writeErrors = each(command, statements, (bytes) => {
      const statement = decode(bytes);
      checkStatement('delete.deletes', statement, ['q', 'limit']);
      const limit = statement['limit'];
      if (limit !== 0 && limit !== 1)
        throw new CommandError('FailedToParse', 'The limit field in delete objects must be 0 or 1');
      if (!collection) return;
      for (const id of idsOf(search(store, collection, compileFilter(statement['q']), { limit }))) {
        store.delete(collection, id);
        n += 1;
      }
    });
    return { n, ...writeErrors, ok: 1 };
  });
}

/**
 * Does the statements one after the other. A refused one is reported by its place; the rest is still done, unless the
 * command is ordered. Any other error undoes the whole command.
 */
function each(
  command: Command,
  statements: readonly Uint8Array[],
  act: (statement: Uint8Array, index: number) => void,
): { writeErrors?: Fields[] } {
  const writeErrors: Fields[] = [];
  for (const [index, statement] of statements.entries()) {
    try {
      act(statement, index);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      writeErrors.push({ index, code: error.code, errmsg: error.message, ...error.details });
      if (command.fields['ordered'] !== false) break;
    }
  }
  return writeErrors.length > 0 ? { writeErrors } : {};
}
