import { once } from 'node:events';
import net from 'node:net';

export { openDatabase, poolOptions } from '../../support/database.ts';

export type StoreProxy = {
  /** The address of the store, through the proxy. */
  readonly url: string;
  /** Cuts every connection, and takes no new ones. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
};

/** A way to the store that can be cut. */
export async function startProxy(url: string): Promise<StoreProxy> {
  const target = new URL(url);
  const sockets = new Set<net.Socket>();
  let server = net.createServer();
  let port = 0;
  const track = (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  };
  const listen = async () => {
    server = net.createServer((inbound) => {
      const outbound = net.connect(Number(target.port), target.hostname);
      track(inbound);
      track(outbound);
      inbound.pipe(outbound).pipe(inbound);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as net.AddressInfo).port;
  };
  const goAway = async () => {
    if (!server.listening) return;
    for (const socket of sockets) socket.resetAndDestroy();
    server.close();
    await once(server, 'close');
  };
  await listen();
  const through = new URL(url);
  through.host = `127.0.0.1:${port}`;
  return { url: through.href, goAway, comeBack: listen, close: goAway };
}
