import { once } from 'node:events';
import net from 'node:net';

/** A way to a store on which every answer is late by `delayMs`. Resolves to its address and what closes it. */
export async function startSlowProxy(url: string, delayMs: number): Promise<{ url: string; close(): Promise<void> }> {
  const target = new URL(url);
  const sockets = new Set<net.Socket>();
  const server = net.createServer((inbound) => {
    const outbound = net.connect(Number(target.port), target.hostname);
    for (const socket of [inbound, outbound]) sockets.add(socket.on('error', () => undefined));
    inbound.pipe(outbound);
    outbound.on('data', (chunk) => setTimeout(() => inbound.write(chunk), delayMs));
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
