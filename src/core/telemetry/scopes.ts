import type { InstrumentationScope } from '@opentelemetry/core';

/** The instrumentation scope of server spans and their measurements. */
export const SERVER_SCOPE: InstrumentationScope = { name: 'okapi.http' };

/** That of PostgreSQL statements. */
export const POSTGRES_SCOPE: InstrumentationScope = { name: 'okapi.postgres' };

/** That of calls to Redis. */
export const REDIS_SCOPE: InstrumentationScope = { name: 'okapi.redis' };

/** That of background jobs. */
export const JOB_SCOPE: InstrumentationScope = { name: 'okapi.background' };

/** That of password hashing. */
export const PASSWORDS_SCOPE: InstrumentationScope = { name: 'okapi.passwords' };

/** That of log lines. */
export const LOG_SCOPE: InstrumentationScope = { name: 'okapi' };
