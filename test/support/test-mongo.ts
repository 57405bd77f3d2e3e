import { once } from 'node:events';
import net from 'node:net';
import { type EmbeddedMongo, startEmbeddedMongo } from '../../src/db/embedded/mongo/launch.ts';
import { temporaryFolder } from './service.ts';

/** A Mongo-protocol server of one test, at an address that stays while the server comes and goes. */
export type TestMongo = {
  url(database: string): string;
  /** `SIGSTOP` lets it hang, `SIGCONT` go on, `SIGKILL` ends it. */
  signal(signal: NodeJS.Signals): void;
  /** Kills it, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again, on what it had. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

export async function startTestMongo(): Promise<TestMongo> {
  const dataDir = temporaryFolder();
  let server: EmbeddedMongo = await startEmbeddedMongo({ dataDir });
  const sockets = new Set<net.Socket>();
  const door = net.createServer((inbound) => {
    const outbound = net.connect(server.port, '127.0.0.1');
    for (const socket of [inbound, outbound]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    inbound.on('close', () => outbound.destroy());
    outbound.on('close', () => inbound.destroy());
    inbound.pipe(outbound).pipe(inbound);
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const { port } = door.address() as net.AddressInfo;
  return {
    url: (database) => server.url(database).replace(`127.0.0.1:${server.port}`, `127.0.0.1:${port}`),
    signal: (signal) => process.kill(server.pid, signal),
    async kill() {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    async restart() {
      server = await startEmbeddedMongo({ dataDir });
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      door.close();
      await server.stop();
    },
  };
}
