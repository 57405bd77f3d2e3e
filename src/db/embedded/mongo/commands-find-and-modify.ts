import { type Command, type CommandContext, type CommandDefinition, checkStatement } from './command.ts';
import { CommandError } from './command-error.ts';
import { decodeTyped, type Fields } from './documents.ts';
import { compileFilter } from './filter.ts';
import { applyTo, insertMissing, target } from './modify.ts';
import { compileProjection } from './projection.ts';
import { RawDocument } from './raw-reply.ts';
import { search } from './search.ts';
import { parseOrder } from './sort.ts';
import { compileUpdate } from './update.ts';

/** Changes one document and gives it, in one transaction. */
export const findAndModifyCommand: Readonly<Record<string, CommandDefinition>> = {
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

function findAndModify(command: Command, { store }: CommandContext): Fields {
  const { fields } = command;
  const typed = command.typed();
  checkStatement('findAndModify', { arrayFilters: fields['arrayFilters'] ?? [] }, []);
  const project = compileProjection(fields['fields']) ?? ((body: Uint8Array) => body);
  const order = parseOrder(fields['sort']);
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
      if (found) store.delete(collection, found.id);
      return reply(found ? 1 : 0, found?.body, {});
    }
    if (found) {
      const changed = applyTo(store, collection, change, found.id) ?? found.body;
      return reply(1, fields['new'] === true ? changed : found.body, { updatedExisting: true });
    }
    if (fields['upsert'] !== true) return reply(0, undefined, { updatedExisting: false });
    const body = insertMissing(store, collection, change, (typed['query'] ?? {}) as Fields);
    const upserted = decodeTyped(body)['_id'];
    return reply(1, fields['new'] === true ? body : undefined, { updatedExisting: false, upserted });
  });
}
