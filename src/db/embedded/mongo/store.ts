import type { DatabaseSync } from 'node:sqlite';
import { Catalog, type Collection, type Index } from './catalog.ts';
import { CommandError } from './command-error.ts';
import { decode, type Fields, MAX_DOCUMENT_BYTES } from './documents.ts';
import { duplicateKey, type Entry, indexEntries } from './index-entries.ts';
import type { KeyRange, Plan } from './plan.ts';
import { prepareStatements } from './statements.ts';

/** Pages are short at first, for the many searches that end after a few documents. */
const FIRST_PAGE = 32;
const LARGEST_PAGE = 1024;

/**
 * Documents and their index entries in SQLite. Everything is synchronous, so nothing comes between the steps of one
 * command, and a search keeps no statement open while it waits for its reader.
 */
export class Store {
  readonly catalog: Catalog;
  readonly #file: DatabaseSync;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(file: DatabaseSync) {
    this.#file = file;
    this.catalog = new Catalog(file);
    this.#statements = prepareStatements(file);
  }

  close(): void {
    this.#file.close();
  }

  /** Runs `change`; when it returns, what it wrote is on the disk, and when it throws, nothing was written. */
  transaction<T>(change: () => T): T {
    this.#file.exec('BEGIN IMMEDIATE');
    try {
      const result = change();
      this.#file.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#file.isTransaction) this.#file.exec('ROLLBACK');
      this.catalog.reload();
      throw error;
    }
  }

  /** @throws CommandError `DuplicateKey`, before anything is written. */
  insert(collection: Collection, body: Uint8Array): void {
    const entries = this.#entriesOf(collection, decode(body));
    this.#refuseDuplicates(collection, entries, undefined);
    const { lastInsertRowid } = this.#statements.insertDocument.run(collection.id, body);
    for (const { index, key } of entries) this.#statements.insertEntry.run(index.id, key, lastInsertRowid);
  }

  /** @throws CommandError `DuplicateKey` or `BSONObjectTooLarge`, before anything is written. */
  replace(collection: Collection, id: number, before: Uint8Array, body: Uint8Array): void {
    if (body.byteLength > MAX_DOCUMENT_BYTES) {
      throw new CommandError('BSONObjectTooLarge', `object after update too large: ${body.byteLength} bytes`);
    }
    const old = this.#entriesOf(collection, decode(before));
    const entries = this.#entriesOf(collection, decode(body));
    this.#refuseDuplicates(collection, entries, id);
    for (const { index, key } of old) this.#statements.deleteEntry.run(index.id, key, id);
    for (const { index, key } of entries) this.#statements.insertEntry.run(index.id, key, id);
    this.#statements.updateDocument.run(body, id);
  }

  delete(collection: Collection, id: number): void {
    const body = this.body(id);
    if (!body) return;
    for (const { index, key } of this.#entriesOf(collection, decode(body)))
      this.#statements.deleteEntry.run(index.id, key, id);
    this.#statements.deleteDocument.run(id);
  }

  /** The bytes of a document, `undefined` when it has been deleted. */
  body(id: number): Uint8Array | undefined {
    return this.#statements.body.get(id)?.['body'] as Uint8Array | undefined;
  }

  count(collection: Collection): number {
    return Number(this.#statements.count.get(collection.id)?.['n']);
  }

  /** @throws CommandError `DuplicateKey` when it is to be unique and the documents are not. */
  createIndex(collection: Collection, specification: Fields): void {
    const index = this.catalog.addIndex(collection, specification);
    for (const id of this.scan(collection)) {
      const entries = this.#keysOf(index, decode(this.body(id) ?? new Uint8Array()));
      this.#refuseDuplicates(collection, entries, id);
      for (const { key } of entries) this.#statements.insertEntry.run(index.id, key, id);
    }
  }

  dropIndex(collection: Collection, index: Index): void {
    this.#statements.deleteEntries.run(index.id);
    this.catalog.removeIndex(collection, index);
  }

  dropCollection(collection: Collection): void {
    for (const index of collection.indexes) this.#statements.deleteEntries.run(index.id);
    this.#statements.deleteDocuments.run(collection.id);
    this.catalog.remove(collection);
  }

  /** All documents' ids, in the order of insertion. */
  *scan(collection: Collection): Generator<number> {
    let after = 0;
    for (let size = FIRST_PAGE; ; size = Math.min(size * 2, LARGEST_PAGE)) {
      const page = this.#statements.scan.all(collection.id, after, size).map((row) => Number(row['id']));
      yield* page;
      after = page.at(-1) ?? after;
      if (page.length < size) return;
    }
  }

  /** The ids of the documents that a plan leads to, each once. */
  *search({ index, ranges, reverse }: Plan): Generator<number> {
    const seen = index.multikey || ranges.length > 1 ? new Set<number>() : undefined;
    for (const range of reverse ? [...ranges].reverse() : ranges) {
      for (const id of this.searchRange(index, range, reverse)) {
        if (seen?.has(id)) continue;
        seen?.add(id);
        yield id;
      }
    }
  }

  *searchRange(index: Index, { from, below }: KeyRange, reverse = false): Generator<number> {
    const statement = reverse ? this.#statements.descending : this.#statements.ascending;
    let [key, document] = [reverse ? below : from, -1];
    for (let size = FIRST_PAGE; ; size = Math.min(size * 2, LARGEST_PAGE)) {
      const page = statement.all(index.id, key, document, reverse ? from : below, size);
      for (const row of page) yield Number(row['document']);
      const last = page.at(-1);
      if (!last || page.length < size) return;
      [key, document] = [Buffer.from(last['key'] as Uint8Array), Number(last['document'])];
    }
  }

  #entriesOf(collection: Collection, document: Fields): Entry[] {
    return collection.indexes.flatMap((index) => this.#keysOf(index, document));
  }

  #keysOf(index: Index, document: Fields): Entry[] {
    const entries = indexEntries(index, document);
    if (entries.length > 1) this.catalog.markMultikey(index);
    return entries;
  }

  #refuseDuplicates(collection: Collection, entries: readonly Entry[], self: number | undefined): void {
    for (const { index, key, document } of entries) {
      if (!index.unique) continue;
      const other = this.#statements.holder.get(index.id, key, self ?? -1);
      if (other) throw duplicateKey(collection, index, document);
    }
  }
}
