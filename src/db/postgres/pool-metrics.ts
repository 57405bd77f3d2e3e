import { metrics, type ObservableResult } from '@opentelemetry/api';
import type pg from 'pg';
import type { Server } from './statement-kinds.ts';

/**
 * `db.client.connection.pending_requests` of the semantic conventions, read when metrics are collected. Returns what
 * ends that.
 */
export function observePendingRequests(pool: pg.Pool, { address, port, database }: Server): () => void {
  const attributes = { 'db.client.connection.pool.name': `${address}:${port}/${database}` };
  const pending = metrics
    .getMeter('okapi.postgres')
    .createObservableUpDownCounter('db.client.connection.pending_requests', {
      description: 'The number of current pending requests for an open connection.',
      unit: '{request}',
    });
  const observe = (result: ObservableResult) => result.observe(pool.waitingCount, attributes);
  pending.addCallback(observe);
  return () => pending.removeCallback(observe);
}
