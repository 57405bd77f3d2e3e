import { once } from 'node:events';
import net from 'node:net';
import { expect } from 'chai';
import { createMongo, type Mongo } from '../../../src/db/mongo/client.ts';
import { createDatabases, type StoreAddresses } from '../../support/stores.ts';

describe('a ping of Mongo', () => {
  let stores: StoreAddresses & { drop(): Promise<void> };
  let mongo: Mongo;
  let proxy: net.Server;
  const sockets = new Set<net.Socket>();
  let isSilent = false;

  before(async () => {
    stores = await createDatabases();
    const target = new URL(stores.mongoUrl);
    proxy = net.createServer((inbound) => {
      const outbound = net.connect(Number(target.port), target.hostname);
      for (const socket of [inbound, outbound]) {
        sockets.add(socket);
        socket.on('error', () => undefined);
      }
      inbound.on('data', (bytes) => isSilent || outbound.write(bytes));
      outbound.on('data', (bytes) => inbound.write(bytes));
      inbound.on('close', () => outbound.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const through = new URL(stores.mongoUrl);
    through.host = `127.0.0.1:${(proxy.address() as net.AddressInfo).port}`;
    mongo = createMongo(through.href, target.pathname.slice(1), 'okapi-test', []);
  });
  after(async () => {
    await mongo.close();
    for (const socket of sockets) socket.destroy();
    proxy.close();
    await stores.drop();
  });

  it('is answered by a server that is there', async () => {
    await mongo.ping(10_000);
  });

  it('gives up after its time on a connection that has gone silent, before the socket does', async () => {
    isSilent = true;
    const error = await mongo.ping(200).catch((reason: unknown) => reason);
    // Of the socket itself, whose time is ten seconds, the name would be another.
    expect(error).to.have.property('name', 'MongoOperationTimeoutError');
    isSilent = false;
  });
});
