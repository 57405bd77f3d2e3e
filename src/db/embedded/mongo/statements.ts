import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** The statements of the store, compiled once. */
export function prepareStatements(file: DatabaseSync) {
  const prepare = (sql: string): StatementSync => file.prepare(sql);
  return {
    insertDocument: prepare('INSERT INTO documents (collection, body) VALUES (?, ?)'),
    updateDocument: prepare('UPDATE documents SET body = ? WHERE id = ?'),
    deleteDocument: prepare('DELETE FROM documents WHERE id = ?'),
    deleteDocuments: prepare('DELETE FROM documents WHERE collection = ?'),
    body: prepare('SELECT body FROM documents WHERE id = ?'),
    count: prepare('SELECT count(*) AS n FROM documents WHERE collection = ?'),
    scan: prepare('SELECT id FROM documents WHERE collection = ? AND id > ? ORDER BY id LIMIT ?'),
    insertEntry: prepare('INSERT INTO entries (index_id, key, document) VALUES (?, ?, ?)'),
    deleteEntry: prepare('DELETE FROM entries WHERE index_id = ? AND key = ? AND document = ?'),
    deleteEntries: prepare('DELETE FROM entries WHERE index_id = ?'),
    holder: prepare('SELECT document FROM entries WHERE index_id = ? AND key = ? AND document <> ? LIMIT 1'),
    ascending: prepare(
      'SELECT key, document FROM entries WHERE index_id = ? AND (key, document) > (?, ?) AND key < ? ORDER BY key, document LIMIT ?',
    ),
    descending: prepare(
      'SELECT key, document FROM entries WHERE index_id = ? AND (key, document) < (?, ?) AND key >= ? ORDER BY key DESC, document DESC LIMIT ?',
    ),
  };
}
