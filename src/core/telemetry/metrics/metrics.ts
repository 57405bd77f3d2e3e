import { JOB_BUCKETS, LATENCY_BUCKETS } from './buckets.ts';
import { metricRegistry as registry } from './registry.ts';

const latency = { buckets: LATENCY_BUCKETS };

/** The registered metrics that the core fills in and domains may use. Names, labels and help are a contract. */
export const requestCount = registry.counter('app_requests_total', 'Total HTTP requests', [
  'method',
  'endpoint',
  'status',
]);
export const requestLatency = registry.histogram(
  'app_request_latency_seconds',
  'HTTP request latency',
  ['method', 'endpoint'],
  latency,
);
export const errorCount = registry.counter('app_errors_total', 'Total application errors', [
  'endpoint',
  'exception_type',
]);
/** Percent, 0 to 100; `type` is `used` or `free`. */
export const systemMemoryUsage = registry.gauge('system_memory_usage_percentage', 'System memory usage %', ['type']);
/** Percent, 0 to 100. */
export const systemCpuUsage = registry.gauge('system_cpu_usage_percentage', 'System CPU usage %');
export const backgroundJobRuns = registry.counter('background_job_runs_total', 'Background job execution count', [
  'job_name',
]);
export const backgroundJobFailures = registry.counter('background_job_failures_total', 'Background job failure count', [
  'job_name',
]);
export const backgroundJobDuration = registry.histogram(
  'background_job_duration_seconds',
  'Background job duration',
  ['job_name'],
  { buckets: JOB_BUCKETS },
);
export const dbPostgresPoolSize = registry.gauge('db_postgres_poolsize', 'Total connections in the pool');
export const dbPostgresPoolCheckedOut = registry.gauge('db_postgres_pool_checked_out', 'Connections currently in use');
export const dbPostgresPoolOverflow = registry.gauge('db_postgres_pool_overflow', 'Connections beyond pool size');
export const dbPostgresQueryDuration = registry.histogram(
  'db_postgres_query_duration_seconds',
  'PostgreSQL query execution time',
  ['operation'],
  latency,
);
export const dbMongoCommandDuration = registry.histogram(
  'db_mongo_command_duration_seconds',
  'MongoDB command execution time',
  ['command', 'collection'],
  latency,
);
