import type { Attributes } from '@opentelemetry/api';
import { ProtobufWriter } from './protobuf-writer.ts';

/** Writes each attribute as a `KeyValue` (OTLP common.proto) into repeated field `field`; `undefined` is left out. */
export function writeAttributes(writer: ProtobufWriter, field: number, attributes: Attributes): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined && value !== null) writeAttribute(writer, field, key, value);
  }
}

export function writeAttribute(writer: ProtobufWriter, field: number, key: string, value: unknown): void {
  const pair = writer.begin(field);
  writer.string(1, key);
  const any = writer.begin(2);
  writeValue(writer, value);
  writer.end(any);
  writer.end(pair);
}

const TWO_TO_63 = 2 ** 63;

/** The content of an `AnyValue`; whole numbers that an int64 cannot hold are doubles, objects lists of pairs. */
export function writeValue(writer: ProtobufWriter, value: unknown): void {
  if (typeof value === 'string') writer.string(1, value);
  else if (typeof value === 'boolean') writer.count(2, value ? 1 : 0);
  else if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= -TWO_TO_63 && value < TWO_TO_63) writer.int64(3, value);
    else writer.double(4, value);
  } else if (Array.isArray(value)) {
    const list = writer.begin(5);
    for (const each of value) {
      const any = writer.begin(1);
      writeValue(writer, each);
      writer.end(any);
    }
    writer.end(list);
  } else if (typeof value === 'object' && value !== null) {
    const map = writer.begin(6);
    for (const [key, each] of Object.entries(value)) writeAttribute(writer, 1, key, each);
    writer.end(map);
  }
}

/** The bytes that `writeAttributes` would write, for attributes that stay the same. */
export function encodeAttributes(field: number, attributes: Attributes): Buffer {
  const writer = new ProtobufWriter(256);
  writeAttributes(writer, field, attributes);
  return writer.take();
}

/**
 * Keeps the encoded form of one attribute's values, for values that come again and again (a path, a user agent, an
 * address). Bounded: when full it is emptied, which costs what it saved once.
 */
export class AttributeCache {
  readonly #field: number;
  readonly #key: string;
  readonly #maxValues: number;
  readonly #encoded = new Map<string, Buffer>();

  constructor(field: number, key: string, maxValues = 1000) {
    this.#field = field;
    this.#key = key;
    this.#maxValues = maxValues;
  }

  get(value: string): Buffer {
    const known = this.#encoded.get(value);
    if (known !== undefined) return known;
    if (this.#encoded.size >= this.#maxValues) this.#encoded.clear();
    const encoded = encodeAttributes(this.#field, { [this.#key]: value });
    this.#encoded.set(value, encoded);
    return encoded;
  }
}
