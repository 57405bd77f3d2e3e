import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import { CommandError } from './command-error.ts';
import { type Fields, isFields } from './documents.ts';
import { KeyWriter } from './key-writer.ts';

/** The key of an array without elements, which sorts before null. */
export const EMPTY_ARRAY: unique symbol = Symbol('empty array');

/**
 * The first byte of an encoded value: the order of BSON types. All are between 1 and 0xFE, also when inverted, so that
 * terminators (0x00 0x01, inverted 0xFF 0xFE) sort before whatever follows.
 */
const RANK = {
  minKey: 10,
  emptyArray: 20,
  null: 30,
  number: 40,
  string: 50,
  object: 60,
  array: 70,
  binary: 80,
  objectId: 90,
  boolean: 100,
  date: 110,
  timestamp: 120,
  regex: 130,
  maxKey: 240,
} as const;

export type TypeName = keyof typeof RANK;

/**
 * The kind of a value as far as order is concerned: all numbers are one kind.
 * @throws CommandError `BadValue` for types that have no order here (code, DBRef).
 */
export function typeNameOf(value: unknown): TypeName {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean')
    return typeof value as TypeName;
  if (value === EMPTY_ARRAY) return 'emptyArray';
  if (Array.isArray(value)) return 'array';
  if (isFields(value)) return 'object';
  if (value instanceof Date) return 'date';
  if (value instanceof ObjectId) return 'objectId';
  if (value instanceof Timestamp) return 'timestamp';
  if (isNumberClass(value)) return 'number';
  if (value instanceof Binary) return 'binary';
  if (value instanceof BSONRegExp) return 'regex';
  if (value instanceof BSONSymbol) return 'string';
  if (value instanceof MinKey) return 'minKey';
  if (value instanceof MaxKey) return 'maxKey';
  throw new CommandError('BadValue', 'the embedded server cannot compare values of this type');
}

/** The place of a value's type in the order of types. Comparisons (`$lt` and its like) stay within one rank. */
export function rankOf(value: unknown): number {
  return RANK[typeNameOf(value)];
}

function isNumberClass(value: unknown): value is Long | Int32 | Double | Decimal128 {
  return value instanceof Long || value instanceof Int32 || value instanceof Double || value instanceof Decimal128;
}

/**
 * Bytes that compare, as unsigned bytes, the way MongoDB compares the values; several values make a compound key. A
 * direction of -1 inverts that value's bytes. Numbers of different types compare by their exact value.
 * @throws CommandError `BadValue` for Decimal128, whose order is not implemented.
 */
export function encodeKey(values: readonly unknown[], directions: readonly number[] = []): Buffer {
  const writer = new KeyWriter();
  values.forEach((value, index) => {
    const start = writer.length;
    writeValue(writer, value);
    if (directions[index] === -1) writer.invertFrom(start);
  });
  return writer.take();
}

function writeValue(writer: KeyWriter, value: unknown): void {
  const rank = rankOf(value);
  writer.byte(rank);
  if (value === undefined || value === null) return;
  if (rank === RANK.number) writeNumber(writer, value as number | Long | Int32 | Double | Decimal128);
  else if (rank === RANK.string) writer.text(String(value));
  else if (typeof value === 'boolean') writer.byte(value ? 1 : 0);
  else if (value instanceof Date) writer.int64(dateMs(value));
  else if (value instanceof ObjectId) writer.bytes(value.id);
  else if (value instanceof Timestamp) writer.uint64(value.toBigInt());
  else if (value instanceof Binary) {
    writer.uint32(value.length());
    writer.byte(value.sub_type);
    writer.bytes(value.value());
  } else if (value instanceof BSONRegExp) {
    writer.text(value.pattern);
    writer.text(value.options);
  } else if (Array.isArray(value)) {
    for (const item of value) writeValue(writer, item);
    writer.byte(0);
  } else if (rank === RANK.object) {
    for (const [name, field] of Object.entries(value as Fields)) {
      writer.byte(rankOf(field));
      writer.text(name);
      writeValue(writer, field);
    }
    writer.byte(0);
  }
}

/** The nearest double, then how far the exact value is above or below it (at most 512, only 64-bit integers are). */
function writeNumber(writer: KeyWriter, value: number | Long | Int32 | Double | Decimal128): void {
  if (value instanceof Decimal128) throw new CommandError('BadValue', 'the embedded server cannot compare Decimal128');
  const nearest = typeof value === 'number' ? value : value instanceof Long ? value.toNumber() : value.valueOf();
  writer.double(nearest);
  writer.uint16(value instanceof Long ? 0x8000 + Number(value.toBigInt() - BigInt(nearest)) : 0x8000);
}

function dateMs(value: Date): bigint {
  const ms = value.getTime();
  if (Number.isNaN(ms))
    throw new CommandError('BadValue', 'the embedded server cannot compare dates beyond the year 275760');
  return BigInt(ms);
}
