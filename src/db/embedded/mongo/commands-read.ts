import { Long } from 'bson';
import { compilePipeline } from './aggregate.ts';
import { type Command, type CommandContext, type CommandDefinition, collectionName, deadlineOf } from './command.ts';
import { CommandError } from './command-error.ts';
import { decodeTyped, type Fields, isFields } from './documents.ts';
import { compileFilter } from './filter.ts';
import { encodeKey } from './key-encoding.ts';
import { optionalInteger } from './numbers.ts';
import { valuesAt } from './paths.ts';
import { compileProjection } from './projection.ts';
import { search } from './search.ts';
import { parseOrder } from './sort.ts';

/** Commands that only read. */
export const readCommands: Readonly<Record<string, CommandDefinition>> = {
  find: {
    fields: [
      ...['filter', 'sort', 'projection', 'skip', 'limit', 'batchSize', 'singleBatch', 'hint'],
      ...['noCursorTimeout', 'allowDiskUse', 'allowPartialResults'],
    ],
    run: find,
  },
  aggregate: { fields: ['pipeline', 'cursor', 'allowDiskUse', 'hint', 'bypassDocumentValidation'], run: aggregate },
  count: { fields: ['query', 'limit', 'skip', 'hint'], run: count },
  distinct: { fields: ['key', 'query', 'hint'], run: distinct },
  getMore: { fields: ['collection', 'batchSize'], run: getMore },
  killCursors: { fields: ['cursors'], run: killCursors },
};

function find(command: Command, { store, cursors }: CommandContext): Fields {
  const { fields, database } = command;
  const name = collectionName(command);
  const project = compileProjection(fields['projection']);
  const found = search(store, store.catalog.find(database, name), compileFilter(fields['filter']), {
    order: parseOrder(fields['sort']),
    skip: optionalInteger(fields['skip'], 'skip') ?? 0,
    limit: optionalInteger(fields['limit'], 'limit') ?? 0,
    deadline: deadlineOf(command),
  });
  const bodies = found.map(({ body }) => (project ? project(body) : body));
  const batchSize = optionalInteger(fields['batchSize'], 'batchSize');
  return cursors.start(`${database}.${name}`, bodies, batchSize, fields['singleBatch'] === true);
}

async function aggregate(command: Command, { store, cursors }: CommandContext): Promise<Fields> {
  const { fields, database } = command;
  const { filter, order, skip, limit, computes, compute } = compilePipeline(fields['pipeline']);
  const name = collectionName(command);
  if (!isFields(fields['cursor'])) throw new CommandError('FailedToParse', "aggregate needs the option 'cursor'");
  const batchSize = optionalInteger(fields['cursor']['batchSize'], 'batchSize');
  const deadline = deadlineOf(command);
  const found = search(store, store.catalog.find(database, name), filter, { order, skip, limit, deadline });
  const bodies = found.map(({ body }) => body);
  return cursors.start(`${database}.${name}`, computes ? (await compute(bodies)).values() : bodies, batchSize);
}

function count(command: Command, { store }: CommandContext): Fields {
  const { fields, database } = command;
  const collection = store.catalog.find(database, collectionName(command));
  const filter = compileFilter(fields['query'] ?? {});
  const skip = optionalInteger(fields['skip'], 'skip') ?? 0;
  const limit = Math.abs(optionalInteger(fields['limit'], 'limit', -0x7fff_ffff) ?? 0);
  if (collection && Object.keys(filter.condition).length === 0 && skip === 0 && limit === 0)
    return { n: store.count(collection), ok: 1 };
  const found = search(store, collection, filter, { skip, limit, deadline: deadlineOf(command) });
  return { n: found.reduce((n) => n + 1, 0), ok: 1 };
}

function distinct(command: Command, { store }: CommandContext): Fields {
  const { fields, database } = command;
  const key = fields['key'];
  if (typeof key !== 'string') throw new CommandError('TypeMismatch', 'distinct needs the path of a field');
  const values = new Map<string, unknown>();
  const collection = store.catalog.find(database, collectionName(command));
  for (const { body } of search(store, collection, compileFilter(fields['query'] ?? {}), {
    deadline: deadlineOf(command),
  })) {
    for (const value of valuesAt(decodeTyped(body), key).flat()) {
      const id = encodeKey([value]).toString('latin1');
      if (value !== undefined && !values.has(id)) values.set(id, value);
    }
  }
  return { values: [...values.values()], ok: 1 };
}

function getMore({ fields, database }: Command, { cursors }: CommandContext): Fields {
  const id = fields['getMore'];
  if (!Long.isLong(id)) throw new CommandError('TypeMismatch', 'getMore needs the id of a cursor');
  const batchSize = optionalInteger(fields['batchSize'], 'batchSize');
  return cursors.more(id.toString(), `${database}.${fields['collection']}`, batchSize);
}

function killCursors(command: Command, { cursors }: CommandContext): Fields {
  const namespace = `${command.database}.${collectionName(command)}`;
  const ids = command.fields['cursors'];
  if (!Array.isArray(ids)) throw new CommandError('TypeMismatch', 'killCursors needs an array of ids');
  const killed: unknown[] = [];
  const missing: unknown[] = [];
  for (const id of ids) (cursors.kill(String(id), namespace) ? killed : missing).push(id);
  return { cursorsKilled: killed, cursorsNotFound: missing, cursorsAlive: [], cursorsUnknown: [], ok: 1 };
}
