import { CommandError } from './command-error.ts';
import type { Cursors } from './cursors.ts';
import { decode, decodeTyped, decodeWithRaw, type Fields } from './documents.ts';
import type { Authentication } from './scram.ts';
import type { Store } from './store.ts';
import type { WireRequest } from './wire.ts';

/** What commands work with: the store and cursors of the server, and what is known of the connection. */
export interface CommandContext {
  store: Store;
  cursors: Cursors;
  connection: { id: number; authentication: Authentication };
}

/** One command as a client sent it. */
export interface Command {
  name: string;
  database: string;
  /** The body, decoded by `decode`. */
  fields: Fields;
  /** The body, decoded by `decodeTyped`. */
  typed(): Fields;
  /** The documents of an array that may travel beside the body, as bytes. */
  list(field: string): readonly Uint8Array[];
}

export interface CommandDefinition {
  /** The fields it understands, besides those of every command. All others are refused, not ignored. */
  fields: readonly string[];
  /** May be sent before authentication. */
  open?: true;
  run(command: Command, context: CommandContext): Fields | Promise<Fields>;
}

/** Fields of every command that say nothing here, or are checked below. */
const COMMON = new Set([
  ...['$db', 'lsid', '$clusterTime', '$readPreference', 'comment', 'maxTimeMS', 'readConcern', 'writeConcern'],
  ...['apiVersion', 'apiStrict', 'apiDeprecationErrors', 'collation', 'let'],
]);
const TRANSACTION = ['txnNumber', 'startTransaction', 'autocommit', 'stmtId', 'stmtIds'];

/**
 * Reads the command of a request.
 * @throws CommandError when it is malformed.
 */
export function toCommand(request: WireRequest): Command {
  const fields = decode(request.body);
  const name = Object.keys(fields)[0] ?? '';
  const database = request.database ?? fields['$db'];
  if (typeof database !== 'string')
    throw new CommandError('FailedToParse', 'a command needs the database it is for in $db');
  return {
    name,
    database,
    fields,
    typed: () => decodeTyped(request.body),
    list(field) {
      const items = request.sequences.get(field) ?? decodeWithRaw(request.body, field)[field];
      if (
        !Array.isArray(items) ||
        items.length === 0 ||
        items.length > 100_000 ||
        !items.every((item) => item instanceof Uint8Array)
      ) {
        throw new CommandError('BadValue', `${field} must be an array of 1 to 100000 documents`);
      }
      return items;
    },
  };
}

/**
 * Refuses what would make the answer a different one from that of the real server.
 * @throws CommandError with the code the real server has for it.
 */
export function checkFields(command: Command, definition: CommandDefinition, request: WireRequest): void {
  const { name, fields } = command;
  for (const [field, value] of Object.entries(fields).slice(1)) {
    if (TRANSACTION.includes(field)) {
      throw new CommandError(
        'IllegalOperation',
        'Transaction numbers are only allowed on a replica set member or mongos',
      );
    }
    const isOff = value === false || value === null;
    if (!COMMON.has(field) && !definition.fields.includes(field) && !isOff) throw unknownField(name, field);
  }
  for (const field of request.sequences.keys()) {
    if (!definition.fields.includes(field) || Object.hasOwn(fields, field)) throw unknownField(name, field);
  }
  checkCollation(fields['collation']);
  if (fields['let'] !== undefined && Object.keys(fields['let'] as object).length > 0) throw unknownField(name, 'let');
  const { level } = (fields['readConcern'] ?? {}) as Fields;
  if (level !== undefined && level !== 'local' && level !== 'available' && level !== 'majority') {
    throw new CommandError('InvalidOptions', `read concern ${JSON.stringify(level)} needs a replica set`);
  }
  const { w } = (fields['writeConcern'] ?? {}) as Fields;
  if (w !== undefined && w !== 0 && w !== 1 && w !== 'majority') {
    throw new CommandError('BadValue', "cannot use 'w' > 1 when a host is not replicated");
  }
}

/** @throws CommandError for every collation but the one by bytes. */
export function checkCollation(collation: unknown): void {
  if (collation === undefined || (collation as Fields)['locale'] === 'simple') return;
  throw new CommandError('CommandNotSupported', 'collations are not supported by the embedded server');
}

/** Refuses unknown fields of one statement of a write command. */
export function checkStatement(name: string, statement: Fields, known: readonly string[]): void {
  checkCollation(statement['collation']);
  for (const [field, value] of Object.entries(statement)) {
    const isEmpty = value === false || value === null || (Array.isArray(value) && value.length === 0);
    if (!known.includes(field) && field !== 'collation' && field !== 'hint' && !isEmpty)
      throw unknownField(name, field);
  }
}

function unknownField(name: string, field: string): CommandError {
  return new CommandError('Location40415', `BSON field '${name}.${field}' is unknown to the embedded server`);
}

/** The name of the collection a command is for. */
export function collectionName({ name, fields }: Command): string {
  const collection = fields[name];
  if (typeof collection !== 'string' || collection === '') {
    throw new CommandError('InvalidNamespace', `${name} needs the name of a collection`);
  }
  return collection;
}

/** When a command must be done, in milliseconds since the epoch. */
export function deadlineOf({ fields }: Command): number {
  const ms = Number(fields['maxTimeMS'] ?? 0);
  return ms > 0 ? Date.now() + ms : Number.POSITIVE_INFINITY;
}
