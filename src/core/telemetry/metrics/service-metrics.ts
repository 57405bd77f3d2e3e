import { LATENCY_BUCKETS } from './buckets.ts';
import { Observable } from './instruments.ts';
import { metricRegistry as registry } from './registry.ts';

/** Time a request or job waited until the pool had a connection for it. */
export const dbPostgresPoolWait = registry.histogram(
  'db_postgres_pool_wait_seconds',
  'Time waited for a connection of the pool',
  [],
  { buckets: LATENCY_BUCKETS },
);
export const dbPostgresPoolWaiters = registry.gauge('db_postgres_pool_waiters', 'Callers waiting for a connection');

/** 1 while the last check of the dependency succeeded, else 0. */
export const dependencyUp = registry.gauge('okapi_dependency_up', 'Whether the last check of a dependency succeeded', [
  'dependency',
]);

/** Requests that were refused with 429, by the name of the limit. */
export const rateLimitRefused = registry.counter('okapi_rate_limit_refused_total', 'Requests refused by a rate limit', [
  'limit',
]);
/** A check that Redis should have decided and this process did. */
export const rateLimitLocal = registry.counter(
  'okapi_rate_limit_local_total',
  'Checks of rate limits decided in this process because Redis was away',
);
/** Callers that this process forgot too early, since it remembers a bounded number. */
export const rateLimitEvicted = registry.counter(
  'okapi_rate_limit_evicted_total',
  'Callers forgotten because too many were counted at a time',
  ['limit'],
);

/** Log lines that were not written, by destination. Whoever drops them adds a callback that tells the totals. */
export const logDropped = registry.observableCounter('okapi_log_dropped_total', 'Log lines dropped', ['destination']);

/** How many messages wait in the outbox. It is one for all instances, and each tells all of it. */
export const outboxUndelivered = registry.gauge(
  'okapi_outbox_undelivered',
  'Messages in the outbox, not yet delivered',
);
/** 0 when none waits. */
export const outboxOldestAge = registry.gauge(
  'okapi_outbox_oldest_age_seconds',
  'Age of the oldest message in the outbox that is due',
);
/** 1 is full; from 0.8 on the log warns. */
export const outboxUsage = registry.gauge('okapi_outbox_usage_ratio', 'Undelivered messages, by the bound OUTBOX_MAX');
export const outboxDelivered = registry.counter('okapi_outbox_delivered_total', 'Messages delivered from the outbox');
export const outboxDropped = registry.counter(
  'okapi_outbox_dropped_total',
  'Refusals that were not recorded since the outbox was full, or PostgreSQL refused them',
);

const buildInfo = registry.gauge('app_build_info', 'What is running; the value is always 1', [
  'version',
  'commit',
  'node',
]);

/** Says once, at start, what is running. */
export function setBuildInfo({ version, commit }: { version: string; commit: string }): void {
  buildInfo.labels({ version, commit, node: process.version }).set(1);
}

const processCpu = registry.observableCounter('process_cpu_seconds_total', 'User and system CPU time of the process');
processCpu.addCallback((report) => {
  const { user, system } = process.cpuUsage();
  report((user + system) / 1e6, {});
});

const residentMemory = registry.observableGauge('process_resident_memory_bytes', 'Resident memory of the process');
residentMemory.addCallback((report) => report(process.memoryUsage.rss(), {}));

const processStart = registry.gauge('process_start_time_seconds', 'Start of the process since the Unix epoch');
processStart.set(Date.now() / 1000 - process.uptime());

const labelOverflow = registry.observableCounter(
  'okapi_metric_label_overflow_total',
  'Look-ups of label values beyond the bound of their metric',
  ['metric'],
);
labelOverflow.addCallback((report) => {
  for (const instrument of registry.instruments()) {
    if (instrument instanceof Observable || instrument.overflowCount === 0) continue;
    report(instrument.overflowCount, { metric: instrument.shape.name });
  }
});
