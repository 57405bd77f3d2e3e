import type { Collection } from './catalog.ts';
import { type Command, type CommandContext, type CommandDefinition, collectionName } from './command.ts';
import { CommandError } from './command-error.ts';
import { encode, type Fields, isFields } from './documents.ts';
import { compileFilter } from './filter.ts';
import { toInteger } from './numbers.ts';
import { parseOrder } from './sort.ts';

/** Commands about collections, indexes and databases. */
export const catalogCommands: Readonly<Record<string, CommandDefinition>> = {
  createIndexes: { fields: ['indexes', 'commitQuorum'], run: createIndexes },
  listIndexes: { fields: ['cursor'], run: listIndexes },
  dropIndexes: { fields: ['index'], run: dropIndexes },
  create: { fields: [], run: create },
  listCollections: { fields: ['filter', 'nameOnly', 'cursor', 'authorizedCollections'], run: listCollections },
  listDatabases: { fields: ['filter', 'nameOnly', 'authorizedDatabases'], run: listDatabases },
  drop: { fields: [], run: drop },
  dropDatabase: { fields: [], run: dropDatabase },
};

function createIndexes(command: Command, { store }: CommandContext): Fields {
  const { fields, database } = command;
  const given = fields['indexes'];
  if (!Array.isArray(given) || given.length === 0)
    throw new CommandError('BadValue', 'Must specify at least one index to create');
  const specifications = given.map(toSpecification);
  return store.transaction(() => {
    const createdCollectionAutomatically = store.catalog.find(database, collectionName(command)) === undefined;
    const collection = store.catalog.ensure(database, collectionName(command));
    const numIndexesBefore = collection.indexes.length;
    for (const specification of specifications) {
      if (!exists(collection, specification)) store.createIndex(collection, specification);
    }
    return { numIndexesBefore, numIndexesAfter: collection.indexes.length, createdCollectionAutomatically, ok: 1 };
  });
}

/** @throws CommandError `CannotCreateIndex` for kinds of index and options the embedded server does not have. */
function toSpecification(given: unknown): Fields {
  if (!isFields(given) || !isFields(given['key']) || typeof given['name'] !== 'string') {
    throw new CommandError('FailedToParse', 'an index needs a key and a name');
  }
  const { key, name, v: _v, background: _background, unique, expireAfterSeconds, ...others } = given;
  const [unknown] = Object.entries(others).find(([, value]) => value !== false && value !== null) ?? [];
  if (unknown !== undefined)
    throw new CommandError('CannotCreateIndex', `the embedded server has no index option '${unknown}'`);
  const order = parseOrder(key);
  if (order.length === 0) throw new CommandError('CannotCreateIndex', 'Index keys cannot be empty.');
  const isTtl = expireAfterSeconds !== undefined;
  if (isTtl && order.length > 1) throw new CommandError('CannotCreateIndex', 'TTL indexes are single-field indexes');
  return {
    v: 2,
    key,
    name,
    ...(unique === true && { unique }),
    ...(isTtl && { expireAfterSeconds: toInteger(expireAfterSeconds, 'expireAfterSeconds') }),
  };
}

/** @throws CommandError when there is another of that name, or with that key. */
function exists(collection: Collection, wanted: Fields): boolean {
  const options = ({ key, unique, expireAfterSeconds }: Fields) =>
    [JSON.stringify(key), unique, Number(expireAfterSeconds)].join();
  for (const { name, specification } of collection.indexes) {
    const sameKey = JSON.stringify(specification['key']) === JSON.stringify(wanted['key']);
    if (name === wanted['name'] || sameKey) {
      if (name === '_id_' && sameKey) return true;
      if (name === wanted['name'] && options(specification) === options(wanted)) return true;
      const code = sameKey ? 'IndexOptionsConflict' : 'IndexKeySpecsConflict';
      throw new CommandError(code, `An index exists already as '${name}' with a different name, key or options`);
    }
  }
  return false;
}

function listIndexes(command: Command, { store, cursors }: CommandContext): Fields {
  const collection = existing(command, store.catalog.find(command.database, collectionName(command)));
  const bodies = collection.indexes.map(({ specification }) => encode(specification));
  return cursors.start(`${command.database}.${collection.name}`, bodies.values(), Number.POSITIVE_INFINITY);
}

function dropIndexes(command: Command, { store }: CommandContext): Fields {
  const wanted = command.fields['index'];
  return store.transaction(() => {
    const collection = existing(command, store.catalog.find(command.database, collectionName(command)));
    const nIndexesWas = collection.indexes.length;
    const matches = collection.indexes.filter(({ name, specification }) =>
      wanted === '*'
        ? name !== '_id_'
        : typeof wanted === 'string'
          ? name === wanted
          : JSON.stringify(specification['key']) === JSON.stringify(wanted),
    );
    if (matches.length === 0 && wanted !== '*')
      throw new CommandError('IndexNotFound', `index not found with name [${String(wanted)}]`);
    if (matches.some(({ name }) => name === '_id_')) throw new CommandError('InvalidOptions', 'cannot drop _id index');
    for (const index of matches) store.dropIndex(collection, index);
    return { nIndexesWas, ok: 1 };
  });
}

function create(command: Command, { store }: CommandContext): Fields {
  const name = collectionName(command);
  if (store.catalog.find(command.database, name)) {
    throw new CommandError('NamespaceExists', `Collection ${command.database}.${name} already exists.`);
  }
  store.transaction(() => store.catalog.ensure(command.database, name));
  return { ok: 1 };
}

function listCollections({ fields, database }: Command, { store, cursors }: CommandContext): Fields {
  const filter = compileFilter(fields['filter'] ?? {});
  const bodies = store.catalog
    .all()
    .filter((collection) => collection.database === database)
    .map(({ name, indexes }) => ({
      name,
      type: 'collection',
      ...(fields['nameOnly'] === true
        ? {}
        : { options: {}, info: { readOnly: false }, idIndex: indexes[0]?.specification }),
    }))
    .filter((entry) => filter.test(entry))
    .map((entry) => encode(entry));
  return cursors.start(`${database}.$cmd.listCollections`, bodies.values(), Number.POSITIVE_INFINITY);
}

function listDatabases({ fields }: Command, { store }: CommandContext): Fields {
  const filter = compileFilter(fields['filter'] ?? {});
  const names = [...new Set(store.catalog.all().map(({ database }) => database))].sort();
  return { databases: names.map((name) => ({ name })).filter((entry) => filter.test(entry)), ok: 1 };
}

function drop(command: Command, { store }: CommandContext): Fields {
  return store.transaction(() => {
    const collection = store.catalog.find(command.database, collectionName(command));
    if (!collection) return { ok: 1 };
    store.dropCollection(collection);
    return { nIndexesWas: collection.indexes.length, ns: `${command.database}.${collection.name}`, ok: 1 };
  });
}

function dropDatabase({ database }: Command, { store }: CommandContext): Fields {
  return store.transaction(() => {
    for (const collection of store.catalog.all())
      if (collection.database === database) store.dropCollection(collection);
    return { dropped: database, ok: 1 };
  });
}

function existing(command: Command, collection: Collection | undefined): Collection {
  if (collection) return collection;
  throw new CommandError('NamespaceNotFound', `ns does not exist: ${command.database}.${collectionName(command)}`);
}
