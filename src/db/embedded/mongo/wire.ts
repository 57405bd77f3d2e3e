/** The largest message that is read; the same as `maxMessageSizeBytes` in the hello. */
export const MAX_MESSAGE_BYTES = 48_000_000;

const HEADER_BYTES = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
/** Bits 0 to 15 of the flags must be understood by the reader; the others may be ignored. */
const UNKNOWN_REQUIRED_FLAGS = 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME);

/** The peer does not speak the protocol; nothing sensible can follow on this connection. */
export class WireError extends Error {
  override name = 'WireError';
}

/** One request, split into its BSON parts, none of which is decoded yet. */
export interface WireRequest {
  requestId: number;
  /** `query` is the legacy handshake; everything else is `msg`. */
  kind: 'msg' | 'query';
  /** False for unacknowledged writes: the client does not read an answer. */
  expectsReply: boolean;
  /** The database in front of `.$cmd`; only of a `query`, a `msg` carries `$db`. */
  database?: string;
  body: Uint8Array;
  /** Arrays of documents that travel beside the body, by the field they belong to. */
  sequences: ReadonlyMap<string, readonly Uint8Array[]>;
}

/** Cuts a byte stream into messages. Holds at most one message and one chunk. */
export class MessageReader {
  #chunks: Buffer[] = [];
  #size = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /**
   * The next complete message, `undefined` while it is incomplete.
   * @throws WireError when its length is out of bounds; known before the rest of it has arrived.
   */
  take(): Buffer | undefined {
    if (this.#size < 4) return undefined;
    const first = this.#chunks[0];
    const length = (first && first.length >= 4 ? first : this.#join()).readInt32LE(0);
    if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) throw new WireError(`message length ${length}`);
    if (this.#size < length) return undefined;
    const all = this.#join();
    const rest = all.subarray(length);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    return all.subarray(0, length);
  }

  #join(): Buffer {
    const all = this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}

/**
 * Reads one message as `MessageReader` returns it.
 * @throws WireError when it is not a well-formed OP_MSG or OP_QUERY.
 */
export function parseMessage(message: Buffer): WireRequest {
  if (message.length < HEADER_BYTES || message.readInt32LE(0) !== message.length) throw new WireError('message length');
  const requestId = message.readInt32LE(4);
  const opcode = message.readInt32LE(12);
  if (opcode === OP_MSG) return parseMsg(requestId, message);
  if (opcode === OP_QUERY) return parseQuery(requestId, message);
  throw new WireError(`opcode ${opcode}`);
}

function parseMsg(requestId: number, message: Buffer): WireRequest {
  if (message.length < HEADER_BYTES + 4) throw new WireError('message without flags');
  const flags = message.readUInt32LE(HEADER_BYTES);
  if (flags & UNKNOWN_REQUIRED_FLAGS) throw new WireError(`flags ${flags}`);
  // The checksum is not verified: the connection never leaves the machine.
  const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  let body: Uint8Array | undefined;
  const sequences = new Map<string, Uint8Array[]>();
  let at = HEADER_BYTES + 4;
  while (at < end) {
    const kind = message[at];
    at += 1;
    if (kind === 0) {
      if (body) throw new WireError('two bodies');
      body = documentAt(message, at, end);
      at += body.length;
    } else if (kind === 1) {
      at = parseSequence(message, at, end, sequences);
    } else throw new WireError(`section kind ${kind}`);
  }
  if (!body) throw new WireError('no body');
  return { requestId, kind: 'msg', expectsReply: (flags & MORE_TO_COME) === 0, body, sequences };
}

function parseSequence(message: Buffer, start: number, end: number, into: Map<string, Uint8Array[]>): number {
  if (start + 4 > end) throw new WireError('truncated sequence');
  const stop = start + message.readInt32LE(start);
  const nameEnd = message.indexOf(0, start + 4);
  if (stop > end || nameEnd < 0 || nameEnd >= stop) throw new WireError('truncated sequence');
  const name = message.toString('utf8', start + 4, nameEnd);
  if (into.has(name)) throw new WireError(`two sequences ${JSON.stringify(name)}`);
  const documents: Uint8Array[] = [];
  for (let at = nameEnd + 1; at < stop; at += documents.at(-1)?.length ?? 0)
    documents.push(documentAt(message, at, stop));
  into.set(name, documents);
  return stop;
}

function parseQuery(requestId: number, message: Buffer): WireRequest {
  const nameEnd = message.indexOf(0, HEADER_BYTES + 4);
  if (nameEnd < 0) throw new WireError('truncated query');
  const name = message.toString('utf8', HEADER_BYTES + 4, nameEnd);
  if (!name.endsWith('.$cmd')) throw new WireError('a legacy query that is no command');
  const body = documentAt(message, nameEnd + 9, message.length);
  return { requestId, kind: 'query', expectsReply: true, database: name.slice(0, -5), body, sequences: new Map() };
}

function documentAt(message: Buffer, at: number, end: number): Buffer {
  const length = at + 5 <= end ? message.readInt32LE(at) : 0;
  if (length < 5 || at + length > end || message[at + length - 1] !== 0) throw new WireError('truncated document');
  return message.subarray(at, at + length);
}

/** Wraps an encoded document as the answer to `request`, in the form the request had. */
export function encodeMessage(request: Pick<WireRequest, 'kind' | 'requestId'>, document: Uint8Array): Buffer {
  const prefix = request.kind === 'msg' ? 5 : 20;
  const head = Buffer.alloc(HEADER_BYTES + prefix);
  head.writeInt32LE(head.length + document.length, 0);
  head.writeInt32LE(request.requestId, 8);
  head.writeInt32LE(request.kind === 'msg' ? OP_MSG : OP_REPLY, 12);
  if (request.kind === 'query') {
    head.writeInt32LE(8, 16); // AwaitCapable, which every server since 1.6 sets
    head.writeInt32LE(1, 32); // one document
  }
  return Buffer.concat([head, document]);
}
