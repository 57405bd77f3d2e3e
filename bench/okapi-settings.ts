import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

/**
 * What is switched on:
 * - `on`: every request traced to OTLP, metrics, an access line in the rotating file; the console at WARNING;
 * - `off`: the same onion without telemetry and logs;
 * - `logs`: `on`, with every line on the console and as an OTLP log record too.
 */
export type OkapiVariant = 'on' | 'off' | 'logs';

export type OkapiSurroundings = {
  folder: string;
  port: number;
  databaseUrl: string;
  mongoUrl: string;
  /** OTLP endpoint. */
  receiverUrl: string;
};

/** `/metrics` asks for it in production. */
export const METRICS_TOKEN = randomBytes(24).toString('hex');

// One pair for all, so that a token of one is good for the others.
const ACCESS_KEY = randomBytes(48).toString('hex');
const REFRESH_KEY = randomBytes(48).toString('hex');

/** The most connections to PostgreSQL, for Okapi and for the peer that asks the same. */
export const POOL_SIZE = 20;

/** The settings of Okapi as it is measured: production's, with limits that a load generator does not run into. */
export function okapiSettings(variant: OkapiVariant, at: OkapiSurroundings): Record<string, string> {
  return {
    ENVIRONMENT: 'production',
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(at.port),
    TRUST_PROXY: 'none',
    DATA_DIR: join(at.folder, 'data'),
    DATABASE_URL: at.databaseUrl,
    MONGO_URL: at.mongoUrl,
    // Kept open, as the peer's are: what is above the size would be opened anew for every burst.
    POSTGRES_POOL_SIZE: String(POOL_SIZE),
    POSTGRES_POOL_OVERFLOW: '0',
    CORS_ALLOW_ORIGINS: 'https://app.example.org',
    ACCESS_TOKEN_SIGNING_KEY: ACCESS_KEY,
    REFRESH_TOKEN_SIGNING_KEY: REFRESH_KEY,
    ACCESS_TOKEN_EXPIRE_MINUTES: '1440',
    METRICS_TOKEN,
    SHUTDOWN_DELAY_MS: '0',
    LOG_DIR: join(at.folder, 'logs'),
    ...LIMITS,
    ...telemetry(variant, at.receiverUrl),
  };
}

/** On, so that they are paid for, and out of reach. */
const LIMITS = {
  RATE_LIMIT_GENERAL: '100000000',
  RATE_LIMIT_LOGIN_ACCOUNT: '100000000',
  RATE_LIMIT_LOGIN_ADDRESS: '100000000',
  RATE_LIMIT_REGISTER: '100000000',
  MAX_IN_FLIGHT: '1000',
  MAX_EVENT_LOOP_DELAY_MS: '1000',
};

function telemetry(variant: OkapiVariant, receiverUrl: string): Record<string, string> {
  if (variant === 'off')
    return { OTEL_SDK_DISABLED: 'true', ACCESS_LOG: 'off', LOG_FILES: 'off', LOG_LEVEL: 'WARNING' };
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiverUrl,
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'prometheus',
    OTEL_LOGS_EXPORTER: variant === 'logs' ? 'otlp' : 'none',
    LOG_LEVEL: variant === 'logs' ? 'INFO' : 'WARNING',
  };
}
