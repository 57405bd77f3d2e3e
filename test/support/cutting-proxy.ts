import { startProxy, type TestProxy } from './proxy.ts';

/** `ReadyForQuery`, outside of a transaction: with it PostgreSQL ends its answer, when all is committed. */
const READY = Buffer.from('Z\0\0\0\x05I', 'latin1');

/** A way to PostgreSQL (without TLS) that can break after a statement was committed and before anybody learns of it. */
export type CuttingProxy = TestProxy & {
  /** Breaks the connection that sends `text` next in place of its answer, which is there by then. Resolves when it has. */
  cutAnswerTo(text: string): Promise<void>;
};

export async function startCuttingProxy(url: string): Promise<CuttingProxy> {
  let next: { text: string; done: () => void } | undefined;
  const proxy = await startProxy(url, (inbound, outbound) => {
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
  });
  return {
    ...proxy,
    cutAnswerTo(text) {
      const { promise, resolve } = Promise.withResolvers<void>();
      next = { text, done: resolve };
      return promise;
    },
  };
}
