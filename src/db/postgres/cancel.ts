import pg from 'pg';
import { getLogger } from '../../core/logging/index.ts';

/** What the driver knows of a connection and its types do not say. */
type Internals = {
  host: string;
  port: number;
  ssl: pg.ConnectionConfig['ssl'];
  processID: number | null;
  secretKey: number | null;
};

/** How long the request may take, and a statement to end after it before its connection is given up. */
const WITHIN_MS = 1_000;
const logger = getLogger('app.db.postgres');

/** Calls the running statement of a connection off; one that goes on nevertheless loses its connection. */
export class Cancellation {
  readonly #sent: Promise<void>;
  readonly #timer: NodeJS.Timeout;

  constructor(client: pg.ClientBase) {
    this.#sent = requestCancel(client);
    // Ending a connection that is busy cuts it, and the statement fails with it.
    this.#timer = setTimeout(() => void (client as pg.Client).end(), WITHIN_MS);
  }

  /**
   * To be called when the statement is over. Resolves when the server has dealt with the request too, which would hit
   * the next statement else.
   */
  async settled(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#sent;
  }
}

/** Sends a CancelRequest over a connection of its own (PostgreSQL manual, 54.2.8). Never rejects. */
async function requestCancel(client: pg.ClientBase): Promise<void> {
  const { host, port, ssl, processID, secretKey } = client as unknown as Internals;
  const connection = new pg.Connection({ ssl: ssl || false } as pg.ConnectionConfig) as unknown as CancelConnection;
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>();
  const send = () => connection.cancel(processID, secretKey);
  connection.once('connect', () => (ssl ? connection.requestSsl() : send()));
  connection.once('sslconnect', send);
  connection.once('end', resolve);
  connection.on('error', reject);
  const timer = setTimeout(() => reject(new Error('No answer within a second')), WITHIN_MS);
  try {
    connection.connect(port, host);
    await closed;
  } catch (error) {
    logger.warning('A statement could not be cancelled', { error });
  } finally {
    clearTimeout(timer);
    connection.stream.destroy();
  }
}

type CancelConnection = NodeJS.EventEmitter & {
  stream: { destroy(): void };
  connect(port: number, host: string): void;
  requestSsl(): void;
  cancel(processId: number | null, secretKey: number | null): void;
};
