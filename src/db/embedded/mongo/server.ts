import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { serveConnection } from './connection.ts';
import { Cursors } from './cursors.ts';
import { openDatabaseFile } from './database-file.ts';
import { Authentication, deriveCredentials } from './scram.ts';
import { Store } from './store.ts';
import { startSweeping } from './ttl.ts';
import { WireError } from './wire.ts';

export interface EmbeddedMongoOptions {
  /** The SQLite file. */
  file: string;
  password: string;
  /** How long another process may still hold the file. In milliseconds. */
  lockWaitMs: number;
  /** How often expired documents are looked for. In milliseconds. */
  sweepEveryMs: number;
  /** A connection was ended because its peer does not speak the protocol. */
  onWireError(error: WireError): void;
}

export interface EmbeddedMongoServer {
  port: number;
  /** Lets the commands under way finish, ends the connections and closes the file. */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 1000;
/** How long a client may take to read the answers it is owed when the server closes. */
const FLUSH_MS = 300;

/**
 * Serves the wire protocol of MongoDB on a free port of the loopback interface.
 * @throws Error when the file cannot be opened.
 */
export async function startServer(options: EmbeddedMongoOptions): Promise<EmbeddedMongoServer> {
  const store = new Store(await openDatabaseFile(options.file, options.lockWaitMs));
  const credentials = deriveCredentials(options.password);
  const cursors = new Cursors();
  const serving = new Map<Socket, Promise<void>>();
  const ending = new AbortController();
  let lastId = 0;

  const server = createServer({ noDelay: true }, (socket) => {
    const connection = { id: ++lastId, authentication: new Authentication(credentials) };
    const closed = new AbortController();
    socket.on('close', () => closed.abort());
    socket.on('error', () => closed.abort());
    const done = serveConnection(
      socket,
      { store, cursors, connection },
      AbortSignal.any([closed.signal, ending.signal]),
    )
      // A client that speaks something else is not answered: there is no form in which it would understand.
      .catch((error: unknown) => {
        if (error instanceof WireError) options.onWireError(error);
      })
      .finally(() => {
        socket.destroy();
        serving.delete(socket);
      });
    serving.set(socket, done);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const stopSweeping = startSweeping(store, options.sweepEveryMs);

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      stopSweeping();
      ending.abort();
      server.close();
      for (const socket of serving.keys()) socket.destroySoon();
      const patience = setTimeout(() => {
        for (const socket of serving.keys()) socket.destroy();
      }, FLUSH_MS);
      await Promise.all(serving.values());
      clearTimeout(patience);
      store.close();
    },
  };
}
