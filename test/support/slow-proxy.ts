import { startProxy, type TestProxy } from './proxy.ts';

/** A way to a store on which every answer is late by `delayMs`. Resolves to its address and what closes it. */
export function startSlowProxy(url: string, delayMs: number): Promise<TestProxy> {
  return startProxy(url, (inbound, outbound) => {
    inbound.pipe(outbound);
    outbound.on('data', (chunk) => setTimeout(() => inbound.write(chunk), delayMs));
  });
}
