import { once } from 'node:events';
import net from 'node:net';

export type TestProxy = { url: string; close(): Promise<void> };

/**
 * A way to the server at `url`. `link` passes on what comes on `inbound`, from the client, and on `outbound`, from the
 * server; the end of one is the end of the other.
 */
export async function startProxy(
  url: string,
  link: (inbound: net.Socket, outbound: net.Socket) => void,
): Promise<TestProxy> {
  const target = new URL(url);
  const sockets = new Set<net.Socket>();
  const server = net.createServer((inbound) => {
    const outbound = net.connect(Number(target.port), target.hostname);
    for (const socket of [inbound, outbound]) sockets.add(socket.on('error', () => undefined));
    link(inbound, outbound);
    outbound.on('close', () => inbound.destroy());
    inbound.on('close', () => outbound.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(url);
  through.host = `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  return {
    url: through.href,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
