import {
  dbPostgresPoolCheckedOut,
  dbPostgresPoolOverflow,
  dbPostgresPoolSize,
  systemCpuUsage,
  systemMemoryUsage,
} from '../telemetry/metrics/metrics.ts';
import { dbPostgresPoolWaiters } from '../telemetry/metrics/service-metrics.ts';
import { SystemSampler } from '../telemetry/metrics/system-sampler.ts';

/** A connection pool at this moment. Handed in, so that the core knows no store. */
export type PoolFigures = {
  /** Connections open now, in use or not. */
  readonly open: number;
  readonly inUse: number;
  /** Connections the pool keeps; what is open beyond is overflow. */
  readonly size: number;
  /** Callers that wait for a connection; 0 when the pool does not say. */
  readonly waiting?: number;
};

export type SystemMetricsSources = {
  readonly pool?: () => PoolFigures;
  readonly sampler?: SystemSampler;
};

const processSampler = new SystemSampler();
const used = systemMemoryUsage.labels({ type: 'used' });
const free = systemMemoryUsage.labels({ type: 'free' });

/**
 * One run: sets the `system_*` gauges (percent of the container's limit, else of the host) and, when a pool is given, the
 * `db_postgres_pool*` gauges. CPU is that since the run before, so the first run leaves its gauge as it is.
 * Rejects with what `pool` throws, after everything else was set.
 */
export async function updateSystemMetrics({
  pool,
  sampler = processSampler,
}: SystemMetricsSources = {}): Promise<void> {
  const [memory, cpu] = await Promise.all([sampler.memoryPercent(), sampler.cpuPercent()]);
  used.set(memory);
  free.set(100 - memory);
  if (cpu !== undefined) systemCpuUsage.set(cpu);
  if (pool === undefined) return;
  const { open, inUse, size, waiting = 0 } = pool();
  dbPostgresPoolSize.set(open);
  dbPostgresPoolCheckedOut.set(inUse);
  dbPostgresPoolOverflow.set(Math.max(0, open - size));
  dbPostgresPoolWaiters.set(waiting);
}
