import { BSONError, deserialize, ObjectId, onDemand, serialize } from 'bson';
import { CommandError } from './command-error.ts';

/** A decoded document, of the command or of a collection. */
export type Fields = Record<string, unknown>;

/** MongoDB's bound for one stored document. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

const ARRAY = 4;
const DOCUMENT = 3;
const UNDEFINED = 6;

/**
 * For looking at: numbers are JavaScript's, but 64-bit integers stay `Long` and regular expressions `BSONRegExp`.
 * @throws CommandError `InvalidBSON`
 */
export function decode(bytes: Uint8Array): Fields {
  return decodeWith(bytes, { promoteLongs: false, bsonRegExp: true });
}

/** For changing and writing back: every value keeps its BSON type, `5.0` is not `5`. */
export function decodeTyped(bytes: Uint8Array): Fields {
  return decodeWith(bytes, { promoteValues: false, bsonRegExp: true });
}

/** For computing: 64-bit integers are numbers where a number holds them exactly. */
export function decodeNumeric(bytes: Uint8Array): Fields {
  return decodeWith(bytes, { promoteLongs: true, bsonRegExp: true });
}

/** Like `decode`, but the documents inside the array `field` are left as bytes. */
export function decodeWithRaw(bytes: Uint8Array, field: string): Fields {
  return decodeWith(bytes, { promoteLongs: false, bsonRegExp: true, fieldsAsRaw: { [field]: true } });
}

function decodeWith(bytes: Uint8Array, options: NonNullable<Parameters<typeof deserialize>[1]>): Fields {
  try {
    return deserialize(bytes, options);
  } catch (error) {
    // RangeError: nested deeper than the stack.
    if (!(error instanceof BSONError || error instanceof RangeError)) throw error;
    throw new CommandError('InvalidBSON', `invalid BSON: ${error.message}`);
  }
}

export function encode(document: Fields): Buffer {
  const bytes = serialize(document);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A plain embedded document; not an array, not one of the BSON value classes. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && value.constructor === Object;
}

/**
 * The bytes as MongoDB would store them: `_id` is the first field, and is made up when there is none.
 * @throws CommandError when it is too large or its `_id` is of a kind that cannot be one.
 */
export function storable(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength > MAX_DOCUMENT_BYTES) {
    throw new CommandError('BSONObjectTooLarge', `object to insert too large: ${bytes.byteLength} bytes`);
  }
  const elements = [...onDemand.parseToElements(bytes)];
  const index = elements.findIndex(([, offset, length]) => length === 3 && nameAt(bytes, offset, length) === '_id');
  const id = elements[index];
  if (!id) return rebuild(bytes, encode({ _id: new ObjectId() }).subarray(4, -1), bytes.byteLength - 1, 0);
  const [type, nameOffset, , valueOffset, valueLength] = id;
  if (type === ARRAY || type === UNDEFINED)
    throw new CommandError('BadValue', "can't use an array or undefined for _id");
  if (type === DOCUMENT && Object.keys(decode(bytes)['_id'] as Fields).some((key) => key.startsWith('$'))) {
    throw new CommandError('DollarPrefixedFieldName', '_id fields may not contain $-prefixed fields');
  }
  if (index === 0) return bytes;
  return rebuild(
    bytes,
    bytes.subarray(nameOffset - 1, valueOffset + valueLength),
    nameOffset - 1,
    valueOffset + valueLength,
  );
}

/** A document of `first`, then everything of `bytes` but what lies between `cutStart` and `cutEnd`. */
function rebuild(bytes: Uint8Array, first: Uint8Array, cutStart: number, cutEnd: number): Uint8Array {
  const tail = cutEnd === 0 ? bytes.subarray(bytes.byteLength - 1) : bytes.subarray(cutEnd);
  const body = Buffer.concat([Buffer.alloc(4), first, bytes.subarray(4, cutStart), tail]);
  body.writeInt32LE(body.length, 0);
  return body;
}

function nameAt(bytes: Uint8Array, offset: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
}
