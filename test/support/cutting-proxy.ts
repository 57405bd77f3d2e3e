import { once } from 'node:events';
import net from 'node:net';

/** `ReadyForQuery`, outside of a transaction: with it PostgreSQL ends its answer, when all is committed. */
const READY = Buffer.from('Z\0\0\0\x05I', 'latin1');

/** A way to PostgreSQL (without TLS) that can break after a statement was committed and before anybody learns of it. */
export type CuttingProxy = {
  url: string;
  /** Breaks the connection that sends `text` next in place of its answer, which is there by then. Resolves when it has. */
  cutAnswerTo(text: string): Promise<void>;
  close(): Promise<void>;
};

export async function startCuttingProxy(url: string): Promise<CuttingProxy> {
  const target = new URL(url);
  const sockets = new Set<net.Socket>();
  let next: { text: string; done: () => void } | undefined;
  const server = net.createServer((inbound) => {
    const outbound = net.connect(Number(target.port), target.hostname);
    for (const socket of [inbound, outbound]) sockets.add(socket.on('error', () => undefined));
    let cutting: typeof next;
    let answer: Buffer = Buffer.alloc(0);
    inbound.on('data', (chunk: Buffer) => {
      if (next !== undefined && chunk.includes(next.text)) {
        cutting = next;
        next = undefined;
      }
      outbound.write(chunk);
    });
    outbound.on('data', (chunk: Buffer) => {
      if (cutting === undefined) {
        inbound.write(chunk);
        return;
      }
      answer = Buffer.concat([answer, chunk]);
      if (!answer.includes(READY)) return;
      inbound.destroy();
      cutting.done();
    });
    outbound.on('close', () => inbound.destroy());
    inbound.on('close', () => outbound.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(url);
  through.host = `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  return {
    url: through.href,
    cutAnswerTo(text) {
      const { promise, resolve } = Promise.withResolvers<void>();
      next = { text, done: resolve };
      return promise;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
