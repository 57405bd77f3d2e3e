import { context } from '@opentelemetry/api';
import pg from 'pg';

type Callback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

/**
 * A pool that calls back in the context of who asked. Without this, who waits for a connection is called back by
 * whoever gives one back, and logs, traces and spends as a part of that request (node-postgres #2533).
 */
export class BoundPool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): Promise<pg.PoolClient> | undefined {
    if (callback === undefined) return super.connect();
    super.connect(context.bind(context.active(), callback));
    return undefined;
  }

  /** As `connect`, for who only resolves a promise when called back, which keeps the context by itself. */
  connectUnbound(callback: Callback): void {
    super.connect(callback);
  }
}
