import { type Command, type CommandContext, type CommandDefinition, collectionName } from './command.ts';
import { CommandError } from './command-error.ts';
import { type Fields, isFields } from './documents.ts';
import { toInteger } from './numbers.ts';

/** Changes when the documents of a TTL index expire, or makes a TTL index of another; nothing else of a collection. */
export const collModCommand: Readonly<Record<string, CommandDefinition>> = {
  collMod: { fields: ['index'], run: collMod },
};

function collMod(command: Command, { store }: CommandContext): Fields {
  const wanted = command.fields['index'];
  if (!isFields(wanted)) throw new CommandError('InvalidOptions', 'the embedded server changes nothing but an index');
  const { keyPattern, name, expireAfterSeconds, ...others } = wanted;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new CommandError('InvalidOptions', `the embedded server cannot change '${unknown}' of an index`);
  const seconds = toInteger(expireAfterSeconds, 'expireAfterSeconds');
  return store.transaction(() => {
    const collection = store.catalog.find(command.database, collectionName(command));
    if (!collection)
      throw new CommandError('NamespaceNotFound', `ns does not exist: ${command.database}.${collectionName(command)}`);
    const index = collection.indexes.find(({ specification }) =>
      keyPattern === undefined
        ? specification['name'] === name
        : JSON.stringify(specification['key']) === JSON.stringify(keyPattern),
    );
    if (!index) throw new CommandError('IndexNotFound', 'cannot find the index to change');
    if (index.order.length > 1 || index.name === '_id_')
      throw new CommandError('InvalidOptions', 'TTL indexes are single-field indexes, and never the one on _id');
    const { expireAfterSeconds: before } = index;
    store.catalog.changeIndex(index, { ...index.specification, expireAfterSeconds: seconds });
    return {
      ...(before !== undefined && { expireAfterSeconds_old: before }),
      expireAfterSeconds_new: seconds,
      ok: 1,
    };
  });
}
