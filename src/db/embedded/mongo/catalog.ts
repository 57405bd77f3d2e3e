import type { DatabaseSync } from 'node:sqlite';
import { CommandError } from './command-error.ts';
import { decode, encode, type Fields } from './documents.ts';
import { type Order, parseOrder } from './sort.ts';

export interface Index {
  id: number;
  name: string;
  order: Order;
  unique: boolean;
  /** Documents are removed this long after the date in the index's only field. */
  expireAfterSeconds?: number;
  /** Some document has several keys in it, because a field is an array. */
  multikey: boolean;
  /** As it is listed. */
  specification: Fields;
}

export interface Collection {
  id: number;
  database: string;
  name: string;
  /** The first is always the unique one on `_id`. */
  indexes: Index[];
}

/** Which collections and indexes there are: a copy in memory of two tables. */
export class Catalog {
  readonly #file: DatabaseSync;
  readonly #collections = new Map<string, Collection>();

  constructor(file: DatabaseSync) {
    this.#file = file;
    this.reload();
  }

  /** Reads the tables again, after a transaction was rolled back. */
  reload(): void {
    this.#collections.clear();
    for (const row of this.#file.prepare('SELECT id, database, name FROM collections ORDER BY id').all()) {
      const collection = { id: Number(row['id']), database: String(row['database']), name: String(row['name']) };
      const indexes = this.#file
        .prepare('SELECT id, specification, multikey FROM indexes WHERE collection = ? ORDER BY id')
        .all(collection.id)
        .map((index) =>
          toIndex(Number(index['id']), decode(index['specification'] as Uint8Array), index['multikey'] === 1),
        );
      this.#collections.set(key(collection.database, collection.name), { ...collection, indexes });
    }
  }

  all(): Collection[] {
    return [...this.#collections.values()];
  }

  find(database: string, name: string): Collection | undefined {
    return this.#collections.get(key(database, name));
  }

  /**
   * The collection, made when it is not there yet. Only inside of a transaction.
   * @throws CommandError `InvalidNamespace`
   */
  ensure(database: string, name: string): Collection {
    const known = this.find(database, name);
    if (known) return known;
    checkNames(database, name);
    const { lastInsertRowid } = this.#file
      .prepare('INSERT INTO collections (database, name) VALUES (?, ?)')
      .run(database, name);
    const collection: Collection = { id: Number(lastInsertRowid), database, name, indexes: [] };
    this.#collections.set(key(database, name), collection);
    this.addIndex(collection, { v: 2, key: { _id: 1 }, name: '_id_' });
    return collection;
  }

  /** Forgets the collection; its documents and entries are the caller's to delete, before. */
  remove(collection: Collection): void {
    this.#file.prepare('DELETE FROM indexes WHERE collection = ?').run(collection.id);
    this.#file.prepare('DELETE FROM collections WHERE id = ?').run(collection.id);
    this.#collections.delete(key(collection.database, collection.name));
  }

  addIndex(collection: Collection, specification: Fields): Index {
    const { lastInsertRowid } = this.#file
      .prepare('INSERT INTO indexes (collection, name, specification) VALUES (?, ?, ?)')
      .run(collection.id, String(specification['name']), encode(specification));
    const index = toIndex(Number(lastInsertRowid), specification, false);
    collection.indexes.push(index);
    return index;
  }

  /** Gives an index other options; its keys stay. */
  changeIndex(index: Index, specification: Fields): void {
    this.#file.prepare('UPDATE indexes SET specification = ? WHERE id = ?').run(encode(specification), index.id);
    Object.assign(index, toIndex(index.id, specification, index.multikey));
  }

  removeIndex(collection: Collection, index: Index): void {
    this.#file.prepare('DELETE FROM indexes WHERE id = ?').run(index.id);
    collection.indexes = collection.indexes.filter((other) => other !== index);
  }

  markMultikey(index: Index): void {
    if (index.multikey) return;
    this.#file.prepare('UPDATE indexes SET multikey = 1 WHERE id = ?').run(index.id);
    index.multikey = true;
  }
}

function toIndex(id: number, specification: Fields, multikey: boolean): Index {
  const { name, key, unique, expireAfterSeconds } = specification;
  return {
    id,
    name: String(name),
    order: parseOrder(key),
    unique: name === '_id_' || unique === true,
    ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds: Number(expireAfterSeconds) }),
    multikey,
    specification,
  };
}

function key(database: string, name: string): string {
  return `${database}\0${name}`;
}

function checkNames(database: string, name: string): void {
  if (!/^[^\0 "$*./:<>?|\\]{1,63}$/.test(database))
    throw new CommandError('InvalidNamespace', `Invalid database name: '${database}'`);
  if (!/^(?!system\.)[^\0$]{1,200}$/.test(name) || name.startsWith('.')) {
    throw new CommandError('InvalidNamespace', `Invalid collection name: '${name}'`);
  }
}
