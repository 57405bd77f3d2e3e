import { once } from 'node:events';
import net from 'node:net';

// Below what Linux (from 32768), macOS and Windows (from 49152) give to whoever connects, or listens on port 0:
// between here and its use, a port of those may be handed to anyone else on the machine.
const FIRST = 20_000;
const COUNT = 12_000;
let next = Math.floor(Math.random() * COUNT);

/** A port on loopback where nothing listens, that the system gives to nobody who did not ask for it: another each time. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + (next++ % COUNT);
    const server = net.createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
