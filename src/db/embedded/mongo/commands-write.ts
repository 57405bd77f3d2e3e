import type { Collection } from './catalog.ts';
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
import { compileProjection } from './projection.ts';
import { RawDocument } from './raw-reply.ts';
import { type Found, search } from './search.ts';
import { type Order, parseOrder } from './sort.ts';
import type { Store } from './store.ts';
import { compileUpdate, type Update } from './update.ts';

const ORDERED = ['ordered', 'bypassDocumentValidation'];

/** Commands that write documents. Each is one transaction of the store: answered means on the disk. */
export const writeCommands: Readonly<Record<string, CommandDefinition>> = {
  insert: { fields: ['documents', ...ORDERED], run: insert },
  update: { fields: ['updates', ...ORDERED], run: update },
  delete: { fields: ['deletes', ...ORDERED], run: remove },
  findAndModify: {
    fields: [
      'query',
      'sort',
      'remove',
      'update',
      'new',
      'fields',
      'upsert',
      'arrayFilters',
      'hint',
      'bypassDocumentValidation',
    ],
    run: findAndModify,
  },
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
  const found = [...search(store, collection, compileFilter(plain['q']), { limit: multi ? 0 : 1 })];
  let modified = 0;
  for (const one of found) if (applyTo(store, collection, change, one)) modified += 1;
  const isUpsert = found.length === 0 && plain['upsert'] === true;
  const inserted = isUpsert ? insertMissing(store, collection, change, typed['q'] as Fields) : undefined;
  return { matched: found.length, modified, upserted: inserted && decodeTyped(inserted) };
}

/** The collection to change: an update that cannot insert does not make one. */
function target(command: Command, store: Store, upsert: unknown): Collection | undefined {
  const name = collectionName(command);
  return upsert === true ? store.catalog.ensure(command.database, name) : store.catalog.find(command.database, name);
}

/** The bytes after the change, `undefined` when it changed nothing. */
function applyTo(store: Store, collection: Collection, change: Update, { id, body, document }: Found) {
  const changed = change.apply(body);
  if (Buffer.compare(changed, body) === 0) return undefined;
  store.replace(collection, id, document, changed);
  return changed;
}

function insertMissing(store: Store, collection: Collection, change: Update, condition: Fields): Uint8Array {
  const body = storable(change.insertion(condition));
  store.insert(collection, body);
  return body;
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
      for (const { id, document } of [...search(store, collection, compileFilter(statement['q']), { limit })]) {
        store.delete(collection, id, document);
        n += 1;
      }
    });
    return { n, ...writeErrors, ok: 1 };
  });
}

function findAndModify(command: Command, { store }: CommandContext): Fields {
  const { fields } = command;
  const typed = command.typed();
  checkStatement('findAndModify', { arrayFilters: fields['arrayFilters'] ?? [] }, []);
  const project = compileProjection(fields['fields']) ?? ((body: Uint8Array) => body);
  const order: Order = parseOrder(fields['sort']);
  const isRemoval = fields['remove'] === true;
  const change = isRemoval ? undefined : compileUpdate(typed['update']);
  if (isRemoval && (fields['update'] !== undefined || fields['new'] === true || fields['upsert'] === true)) {
    throw new CommandError('FailedToParse', 'findAndModify cannot remove and update');
  }
  const reply = (n: number, body: Uint8Array | undefined, more: Fields): Fields => ({
    lastErrorObject: { n, ...more },
    value: body ? new RawDocument(project(body)) : null,
    ok: 1,
  });
  return store.transaction(() => {
    const collection = target(command, store, fields['upsert']);
    if (!collection) return reply(0, undefined, change ? { updatedExisting: false } : {});
    const [found] = [...search(store, collection, compileFilter(fields['query']), { order, limit: 1 })];
    if (!change) {
      if (found) store.delete(collection, found.id, found.document);
      return reply(found ? 1 : 0, found?.body, {});
    }
    if (found) {
      const changed = applyTo(store, collection, change, found) ?? found.body;
      return reply(1, fields['new'] === true ? changed : found.body, { updatedExisting: true });
    }
    if (fields['upsert'] !== true) return reply(0, undefined, { updatedExisting: false });
    const body = insertMissing(store, collection, change, (typed['query'] ?? {}) as Fields);
    const upserted = decodeTyped(body)['_id'];
    return reply(1, fields['new'] === true ? body : undefined, { updatedExisting: false, upserted });
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
