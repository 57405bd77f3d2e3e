import { randomBytes } from 'node:crypto';
import { Long } from 'bson';
import { CommandError } from './command-error.ts';
import { type Fields, MAX_DOCUMENT_BYTES } from './documents.ts';
import { RawArray } from './raw-reply.ts';

/** Idle cursors are forgotten after this long, as by MongoDB. */
const IDLE_MS = 10 * 60_000;
const FIRST_BATCH = 101;
const NO_CURSOR = Long.ZERO;

interface Cursor {
  namespace: string;
  documents: Iterator<Uint8Array>;
  /** Read, but not sent: kept to know whether anything follows. */
  next: Uint8Array;
  usedAt: number;
}

/** Results that are fetched in several batches. */
export class Cursors {
  readonly #open = new Map<string, Cursor>();

  /** The reply of a command that gives a cursor: the first batch, and an id when more follows. */
  start(
    namespace: string,
    documents: Iterator<Uint8Array>,
    batchSize: number | undefined,
    singleBatch = false,
  ): Fields {
    this.#forgetIdle();
    const { batch, next } = takeBatch(documents, undefined, batchSize ?? FIRST_BATCH);
    let id = NO_CURSOR;
    if (next && !singleBatch) {
      id = Long.fromBigInt(randomBytes(8).readBigInt64LE() & 0x7fff_ffff_ffff_ffffn);
      this.#open.set(id.toString(), { namespace, documents, next, usedAt: Date.now() });
    }
    return { cursor: { firstBatch: new RawArray(batch), id, ns: namespace }, ok: 1 };
  }

  /** @throws CommandError `CursorNotFound` */
  more(id: string, namespace: string, batchSize: number | undefined): Fields {
    const cursor = this.#open.get(id);
    if (cursor?.namespace !== namespace) throw new CommandError('CursorNotFound', `cursor id ${id} not found`);
    this.#open.delete(id);
    const { batch, next } = takeBatch(cursor.documents, cursor.next, batchSize || Number.POSITIVE_INFINITY);
    if (next) this.#open.set(id, { ...cursor, next, usedAt: Date.now() });
    return {
      cursor: { nextBatch: new RawArray(batch), id: next ? Long.fromString(id) : NO_CURSOR, ns: namespace },
      ok: 1,
    };
  }

  /** Whether there was such a cursor. */
  kill(id: string, namespace: string): boolean {
    return this.#open.get(id)?.namespace === namespace && this.#open.delete(id);
  }

  #forgetIdle(): void {
    for (const [id, cursor] of this.#open) if (Date.now() - cursor.usedAt > IDLE_MS) this.#open.delete(id);
  }
}

/** At most `size` documents and, but for the first, 16 MB. */
function takeBatch(documents: Iterator<Uint8Array>, first: Uint8Array | undefined, size: number) {
  const batch: Uint8Array[] = [];
  let bytes = 0;
  let next = first ?? read(documents);
  while (next && batch.length < size && (batch.length === 0 || bytes + next.byteLength <= MAX_DOCUMENT_BYTES)) {
    batch.push(next);
    bytes += next.byteLength + 16;
    next = read(documents);
  }
  return { batch, next };
}

function read(documents: Iterator<Uint8Array>): Uint8Array | undefined {
  const { done, value } = documents.next();
  return done ? undefined : value;
}
