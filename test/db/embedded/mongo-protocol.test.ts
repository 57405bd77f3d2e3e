import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { BSON, Long, MongoClient } from 'mongodb';
import type { EmbeddedMongo } from '../../../src/db/embedded/mongo/launch.ts';
import { refusal, useEmbeddedMongo } from './mongo-contract.ts';

describe('the embedded Mongo server and its clients', () => {
  const embedded = useEmbeddedMongo();
  const sockets: Socket[] = [];
  let server: EmbeddedMongo;
  before(async () => {
    server = await embedded.start();
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  /** Sends bytes and gives everything that comes back until the server closes the connection. */
  async function untilClosed(...chunks: Uint8Array[]): Promise<Buffer> {
    const socket = connect({ host: '127.0.0.1', port: server.port });
    sockets.push(socket);
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    for (const chunk of chunks) socket.write(chunk);
    await new Promise<void>((resolve) => socket.on('error', () => undefined).on('close', () => resolve()));
    return Buffer.concat(received);
  }

  /** Sends a message and gives the document that answers it. */
  async function ask(message: Buffer, headBytes: number): Promise<BSON.Document> {
    const socket = connect({ host: '127.0.0.1', port: server.port });
    sockets.push(socket);
    socket.write(message);
    let reply = Buffer.alloc(0);
    for await (const chunk of socket) {
      reply = Buffer.concat([reply, chunk]);
      if (reply.length >= 4 && reply.length >= reply.readInt32LE(0)) return BSON.deserialize(reply.subarray(headBytes));
    }
    throw new Error('closed without an answer');
  }
  const askMsg = (command: BSON.Document) => ask(toMsg(command), 21);

  function frame(opcode: number, ...parts: Uint8Array[]): Buffer {
    const head = Buffer.alloc(16);
    const message = Buffer.concat([head, ...parts]);
    message.writeInt32LE(message.length, 0);
    message.writeInt32LE(opcode, 12);
    return message;
  }
  const toMsg = (command: BSON.Document) => frame(2013, Buffer.alloc(5), BSON.serialize(command));

  const stillServes = async () => expect(await askMsg({ ping: 1, $db: 'admin' })).to.deep.equal({ ok: 1 });

  const malformed: Array<[title: string, bytes: Buffer]> = [
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['random bytes', Buffer.from(Array.from({ length: 500 }, (_, n) => (n * 7919) % 251))],
    ['a huge length', Buffer.from([0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4])],
    ['a length over 48 MB', Buffer.from([0x01, 0x6c, 0xdc, 0x02])],
    ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['an unknown opcode', frame(2012, Buffer.alloc(20))],
    ['a body that is longer than its message', frame(2013, Buffer.alloc(5), Buffer.from([200, 0, 0, 0, 0]))],
    ['a message without a body', frame(2013, Buffer.alloc(4))],
  ];
  for (const [title, bytes] of malformed) {
    it(`closes the connection on ${title}, and serves the others`, async () => {
      expect(await untilClosed(bytes)).to.have.length(0);
      await stillServes();
    });
  }

  it('is not troubled by clients that leave in the middle of a message', async () => {
    for (let length = 1; length < 60; length += 7) {
      const socket = connect({ host: '127.0.0.1', port: server.port });
      sockets.push(socket);
      await new Promise<void>((resolve) =>
        socket.write(toMsg({ ping: 1, $db: 'admin' }).subarray(0, length), () => resolve()),
      );
      socket.destroy();
    }
    await stillServes();
  });

  it('answers a body that is no BSON with an error', async () => {
    const body = Buffer.from([12, 0, 0, 0, 0x77, 0x61, 0, 1, 0, 0, 0, 0]);
    expect(await ask(frame(2013, Buffer.alloc(5), body), 21)).to.include({ ok: 0, code: 22 });
  });

  it('survives a document nested very deeply', async () => {
    let body = Buffer.from([5, 0, 0, 0, 0]);
    const DEPTH = 20_000;
    const parts: Buffer[] = [];
    for (let depth = 0; depth < DEPTH; depth++) {
      const head = Buffer.from([0, 0, 0, 0, 3, 0x61, 0]);
      head.writeInt32LE(5 + (DEPTH - depth) * 8);
      parts.push(head);
    }
    body = Buffer.concat([...parts, body, Buffer.alloc(DEPTH)]);
    expect(await ask(frame(2013, Buffer.alloc(5), body), 21)).to.include({ ok: 0 });
    await stillServes();
  });

  it('greets in the old form too, and says what it is', async () => {
    const query = frame(
      2004,
      Buffer.alloc(4),
      Buffer.from('admin.$cmd\0'),
      Buffer.alloc(8),
      BSON.serialize({ isMaster: 1, helloOk: true }),
    );
    const hello = await ask(query, 36);
    expect(hello).to.include({ ok: 1, ismaster: true, helloOk: true, okapiEmbedded: true, maxWireVersion: 21 });
    expect(await askMsg({ buildInfo: 1, $db: 'admin' })).to.include({ okapiEmbedded: true });
  });

  it('does nothing for who has not authenticated', async () => {
    for (const command of ['find', 'insert', 'listDatabases', 'endSessions', 'unknown']) {
      expect(await askMsg({ [command]: 'a', $db: 'okapi' })).to.include({ ok: 0, code: 13, codeName: 'Unauthorized' });
    }
  });

  it('refuses a wrong password, another user and another mechanism', async () => {
    const url = new URL(server.url('okapi'));
    url.password = 'wrong';
    const attempt = async (address: string) => {
      const client = new MongoClient(address);
      try {
        return await refusal(client.db().command({ ping: 1 }));
      } finally {
        await client.close();
      }
    };
    expect(await attempt(url.href)).to.include({ code: 18, codeName: 'AuthenticationFailed' });
    expect(await attempt(server.url('okapi').replace('okapi:', 'root:'))).to.include({ code: 18 });
    expect(await attempt(server.url('okapi').replace('SHA-256', 'SHA-1'))).to.include({ code: 334 });
    expect(await attempt(server.url('okapi').replace('authSource=admin', 'authSource=okapi'))).to.include({ code: 18 });
  });

  it('authenticates when the mechanism is left to be negotiated', async () => {
    const client = new MongoClient(server.url('okapi').replace('&authMechanism=SCRAM-SHA-256', ''));
    try {
      expect(await client.db().collection('a').countDocuments()).to.equal(0);
    } finally {
      await client.close();
    }
  });

  it('refuses transactions, change streams and what a standalone cannot do', async () => {
    const client = embedded.client(server);
    const items = client.db().collection('a');
    const session = client.startSession();
    session.startTransaction();
    expect((await refusal(items.insertOne({}, { session })))['originalError']).to.include({ code: 20 });
    await session.endSession();
    const stream = items.watch();
    expect((await refusal(stream.next())).code).to.equal(40573);
    await stream.close();
    expect((await refusal(items.insertOne({}, { writeConcern: { w: 2 } }))).code).to.equal(2);
    expect((await refusal(items.find({}, { readConcern: { level: 'snapshot' } as never }).toArray())).code).to.equal(
      72,
    );
  });

  it('refuses what it would do otherwise than MongoDB', async () => {
    const items = embedded.client(server).db().collection('b');
    await items.insertOne({ n: Long.fromString('9007199254740993') });
    const refused = [
      items.find({}, { collation: { locale: 'de' } }).toArray(),
      items.find({ $where: 'true' }).toArray(),
      items.find({}, { projection: { a: { $slice: 1 } } }).toArray(),
      items.updateOne({}, { $push: { a: { $each: [1], $sort: 1 } } } as never),
      items.updateOne({}, { $bit: { a: { or: 1 } } } as never),
      items.updateOne({ a: 1 }, { $set: { 'a.$': 1 } }),
      items.updateOne({}, { $set: { 'a.$[x]': 1 } }, { arrayFilters: [{ x: 1 }] }),
      items.updateOne({}, [{ $set: { a: 1 } }]),
      items.aggregate([{ $lookup: { from: 'x', localField: 'a', foreignField: 'b', as: 'c' } }]).toArray(),
      items.aggregate([{ $out: 'x' }]).toArray(),
      items.aggregate([{ $group: { _id: null, sum: { $sum: '$n' } } }]).toArray(),
      items.createIndex({ a: 'text' }),
      items.createIndex({ a: 1 }, { sparse: true }),
      items.createIndex({ a: 1 }, { partialFilterExpression: { a: 1 } }),
    ];
    for (const error of await Promise.all(refused.map(refusal))) expect(error.code).to.be.a('number');
  });

  it('ends what takes longer than maxTimeMS', async () => {
    const items = embedded.client(server).db().collection('slow');
    await items.insertMany(Array.from({ length: 5000 }, (_, n) => ({ n, text: 'x'.repeat(200) })));
    expect((await refusal(items.countDocuments({ text: /y$/ }, { maxTimeMS: 1 }))).code).to.equal(50);
  });
});
