import { expect } from 'chai';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import {
  encodeMessage,
  MAX_MESSAGE_BYTES,
  MessageReader,
  parseMessage,
  WireError,
} from '../../../src/db/embedded/mongo/wire.ts';

const fields = fc.dictionary(
  fc.string({ maxLength: 8 }).filter((name) => !name.includes('\0')),
  fc.oneof(fc.integer(), fc.string(), fc.boolean()),
  { maxKeys: 4 },
);
const document = fields.map((value) => Buffer.from(BSON.serialize(value)));
const sequence = fc.record({
  name: fc.stringMatching(/^[a-z]{1,8}$/),
  documents: fc.array(document, { maxLength: 4 }),
});
const request = fc.record({
  id: fc.integer(),
  body: document,
  sequences: fc.uniqueArray(sequence, { maxLength: 3, selector: ({ name }) => name }),
  checksum: fc.boolean(),
  moreToCome: fc.boolean(),
  bodyLast: fc.boolean(),
});
type Sent = typeof request extends fc.Arbitrary<infer T> ? T : never;

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function toMessage({ id, body, sequences, checksum, moreToCome, bodyLast }: Sent): Buffer {
  const bodySection = Buffer.concat([Buffer.from([0]), body]);
  const others = sequences.map(({ name, documents }) => {
    const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents]);
    return Buffer.concat([Buffer.from([1]), int32(content.length + 4), content]);
  });
  const sections = bodyLast ? [...others, bodySection] : [bodySection, ...others];
  const flags = (checksum ? 1 : 0) | (moreToCome ? 2 : 0) | (1 << 16);
  const rest = Buffer.concat([
    int32(id),
    int32(0),
    int32(2013),
    int32(flags),
    ...sections,
    Buffer.alloc(checksum ? 4 : 0),
  ]);
  return Buffer.concat([int32(rest.length + 4), rest]);
}

/** Whatever is wrong with a message, it is a WireError that says so. */
function parseOrRefuse(message: Buffer): void {
  try {
    parseMessage(message);
  } catch (error) {
    expect(error).to.be.instanceOf(WireError);
  }
}

describe('the wire protocol', () => {
  it('reads a message as it was sent', () => {
    fc.assert(
      fc.property(request, (sent) => {
        const { requestId, expectsReply, body, sequences } = parseMessage(toMessage(sent));
        expect(requestId).to.equal(sent.id);
        expect(expectsReply).to.equal(!sent.moreToCome);
        expect(Buffer.from(body)).to.deep.equal(sent.body);
        expect([...sequences].map(([name, documents]) => ({ name, documents }))).to.deep.equal(sent.sequences);
      }),
    );
  });

  it('finds the messages in a stream, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(60), { maxLength: 30 }),
        (sent, cuts) => {
          const messages = sent.map(toMessage);
          const stream = Buffer.concat(messages);
          const reader = new MessageReader();
          const found: Buffer[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn++) {
            const length = (cuts[turn] ?? stream.length) + 1;
            reader.push(stream.subarray(at, at + length));
            at += length;
            for (let message = reader.take(); message; message = reader.take()) found.push(Buffer.from(message));
          }
          expect(found).to.deep.equal(messages);
        },
      ),
    );
  });

  it('refuses any bytes that are no message, and fails in no other way', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => parseOrRefuse(Buffer.from(bytes))));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(2004, 2013), (bytes, opcode) => {
        const rest = Buffer.concat([int32(1), int32(0), int32(opcode), Buffer.from(bytes)]);
        parseOrRefuse(Buffer.concat([int32(rest.length + 4), rest]));
      }),
    );
  });

  it('refuses a message that was damaged or cut short, or reads another from it', () => {
    fc.assert(
      fc.property(request, fc.nat(), fc.integer({ min: 1, max: 255 }), (sent, place, damage) => {
        const message = toMessage(sent);
        const at = 4 + (place % (message.length - 4));
        message[at] = (message[at] ?? 0) ^ damage;
        parseOrRefuse(message);
        const short = Buffer.from(message.subarray(0, Math.max(16, at)));
        short.writeInt32LE(short.length);
        parseOrRefuse(short);
      }),
    );
  });

  for (const length of [-1, 0, 15, MAX_MESSAGE_BYTES + 1, 0x7fffffff]) {
    it(`refuses a length of ${length} before the message has arrived`, () => {
      const reader = new MessageReader();
      reader.push(int32(length));
      expect(() => reader.take()).to.throw(WireError);
    });
  }

  it('answers in the form it was asked in', () => {
    const body = BSON.serialize({ ok: 1 });
    const reply = encodeMessage({ kind: 'msg', requestId: 7 }, body);
    expect(reply.readInt32LE(0)).to.equal(reply.length);
    expect([reply.readInt32LE(8), reply.readInt32LE(12)]).to.deep.equal([7, 2013]);
    const legacy = encodeMessage({ kind: 'query', requestId: 7 }, body);
    expect([legacy.readInt32LE(0), legacy.readInt32LE(12), legacy.readInt32LE(32)]).to.deep.equal([
      legacy.length,
      1,
      1,
    ]);
  });
});
