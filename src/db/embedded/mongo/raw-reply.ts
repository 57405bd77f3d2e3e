import { encode, type Fields, isFields } from './documents.ts';

/** Stored documents that go into a reply byte for byte, without being decoded. */
export class RawArray {
  readonly documents: readonly Uint8Array[];
  constructor(documents: readonly Uint8Array[]) {
    this.documents = documents;
  }
}

/** One stored document that goes into a reply byte for byte. */
export class RawDocument {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

const END = Buffer.from([0]);

/** Encodes a reply whose fields, or whose embedded documents' fields, may be raw. */
export function encodeReply(reply: Fields): Buffer {
  const parts: Uint8Array[] = [];
  for (const [name, value] of Object.entries(reply)) {
    if (value instanceof RawArray) parts.push(element(4, name), encodeArray(value.documents));
    else if (value instanceof RawDocument) parts.push(element(3, name), value.bytes);
    else if (isFields(value)) parts.push(element(3, name), encodeReply(value));
    else if (value !== undefined) parts.push(encode({ [name]: value }).subarray(4, -1));
  }
  return frame(parts);
}

function encodeArray(documents: readonly Uint8Array[]): Buffer {
  return frame(documents.flatMap((bytes, index) => [element(3, String(index)), bytes]));
}

function element(type: number, name: string): Buffer {
  return Buffer.from(`${String.fromCharCode(type)}${name}\0`, 'utf8');
}

function frame(parts: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(4), ...parts, END]);
  bytes.writeInt32LE(bytes.length, 0);
  return bytes;
}
