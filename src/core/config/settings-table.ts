import { availableParallelism } from 'node:os';
import packageJson from '../../../package.json' with { type: 'json' };
import {
  bytes,
  choice,
  ENVIRONMENTS,
  flag,
  integer,
  isDeployed,
  type ListedSetting,
  list,
  optionalInteger,
  optionalText,
  type SettingTable,
  text,
  type ValuesOf,
} from './definition.ts';
import { listSettings } from './domain-settings.ts';
import { MAIL_ADDRESS } from './mail-address.ts';

const ORIGIN_PATTERN = '^(\\*|https?://[A-Za-z0-9.\\-\\[\\]:]+)$';
const TOKEN_PATTERN = "^(\\*|[A-Za-z0-9!#$%&'*+.^_`|~\\-]+)$";
const URL_PATTERN = (schemes: string) => `^(${schemes})://[^\\s]+$`;

/** A limit: how many in a window that is fixed. */
const hits = (env: string, what: string, by: number) =>
  integer(env, { description: `${what}; 0 is off`, default: by, min: 0, max: 1_000_000_000 });

/** Every setting of the core, by group, in the order in which `npm run config` and `.env.example` show them. */
export const SETTINGS = {
  Project: {
    projectName: text('PROJECT_NAME', {
      description: 'Name of the service; the identifier, the database and the token issuer derive from it',
      default: 'Okapi',
      pattern: '^[A-Za-z][A-Za-z0-9 _\\-]{0,62}$',
      allowed: 'a letter, then letters, digits, spaces, hyphens or underscores, 63 characters at most',
    }),
    projectDescription: text('PROJECT_DESCRIPTION', {
      description: 'One sentence about the service',
      default: packageJson.description,
    }),
    projectVersion: text('PROJECT_VERSION', {
      description: 'Version of the service, on every span, metric and log line',
      default: packageJson.version,
      maxLength: 128,
    }),
    projectCommit: text('PROJECT_COMMIT', {
      description: 'Commit that the running code was built from, on app_build_info',
      default: 'unknown',
      maxLength: 64,
      pattern: '^[A-Za-z0-9._\\-]+$',
      allowed: 'a commit id',
    }),
    environment: choice('ENVIRONMENT', {
      description: 'Where the service runs; staging and production refuse the defaults that suit a developer',
      default: 'development',
      of: ENVIRONMENTS,
    }),
  },
  HTTP: {
    host: text('HOST', {
      description: 'Address to listen on',
      default: (environment) => (isDeployed(environment) ? '0.0.0.0' : '127.0.0.1'),
      pattern: '^[A-Za-z0-9.:_\\-]+$',
      allowed: 'a host name or an IP address',
    }),
    port: integer('PORT', { description: 'Port to listen on; 0 takes a free one', default: 3000, min: 0, max: 65535 }),
    trustProxy: list('TRUST_PROXY', {
      description: 'Proxies whose X-Forwarded-For is believed: how many hops, or their networks',
      default: [],
      pattern: '^(none|\\d{1,2}|[0-9A-Fa-f.:]+(/\\d{1,3})?)$',
      allowed: '"none", a number of hops such as 1, or a list of networks such as 10.0.0.0/8,::1/128',
    }),
    bodyLimit: bytes('BODY_LIMIT', {
      description: 'Largest request body',
      default: 1024 ** 2,
      max: 64 * 1024 ** 2,
    }),
    requestTimeoutMs: integer('REQUEST_TIMEOUT_MS', {
      description: 'How long a request may take from its arrival on; past it, it is given up and refused',
      default: 30_000,
      min: 1,
      max: 600_000,
      unit: 'milliseconds',
    }),
    maxInFlight: integer('MAX_IN_FLIGHT', {
      description: 'Requests under way at a time; what comes beyond is answered with 503 at once',
      default: 1000,
      min: 1,
      max: 1_000_000,
    }),
    maxEventLoopDelayMs: integer('MAX_EVENT_LOOP_DELAY_MS', {
      description:
        'Mean delay of the event loop, in two half seconds in a row, from which on requests get 503; 0 is off',
      default: 200,
      min: 0,
      max: 60_000,
      unit: 'milliseconds',
    }),
    keepAliveTimeoutMs: integer('KEEP_ALIVE_TIMEOUT_MS', {
      description: 'How long an idle connection is kept; above the idle timeout of the balancer in front',
      default: 65_000,
      min: 0,
      max: 3_600_000,
      unit: 'milliseconds',
    }),
    docsEnabled: flag('DOCS_ENABLED', {
      description: 'Whether /docs and /openapi.json are served',
      default: (environment) => environment === 'development',
    }),
    shutdownDelayMs: integer('SHUTDOWN_DELAY_MS', {
      description: 'How long requests are still taken after a stop was asked for, while readiness says 503',
      default: (environment) => (isDeployed(environment) ? 5000 : 0),
      min: 0,
      max: 300_000,
      unit: 'milliseconds',
    }),
    shutdownGraceMs: integer('SHUTDOWN_GRACE_MS', {
      description: 'How long requests under way may take to finish after that',
      default: 10_000,
      min: 0,
      max: 600_000,
      unit: 'milliseconds',
    }),
  },
  Data: {
    dataDir: text('DATA_DIR', { description: 'Folder of the embedded stores and generated keys', default: '.data' }),
    outboxMax: integer('OUTBOX_MAX', {
      description:
        'Events waiting for Mongo from which on refusals of anonymous callers are dropped; those of users never are',
      default: 1_000_000,
      min: 1,
      max: 100_000_000,
    }),
    activityRetentionDays: integer('ACTIVITY_RETENTION_DAYS', {
      description: 'How long activity events are kept',
      default: 365,
      min: 1,
      max: 3650,
      unit: 'days',
    }),
    sessionRetentionDays: integer('SESSION_RETENTION_DAYS', {
      description: 'How long a session is kept after it has ended',
      default: 30,
      min: 1,
      max: 3650,
      unit: 'days',
    }),
  },
  CORS: {
    corsAllowOrigins: list('CORS_ALLOW_ORIGINS', {
      description: 'Origins that may call from a browser',
      default: ['*'],
      pattern: ORIGIN_PATTERN,
      allowed: '* or a list of origins such as https://app.example.org',
    }),
    corsAllowCredentials: flag('CORS_ALLOW_CREDENTIALS', {
      description: 'Whether those origins may send cookies and read the answer; never together with *',
      default: true,
    }),
    corsAllowMethods: list('CORS_ALLOW_METHODS', {
      description: 'Methods they may use',
      default: ['*'],
      pattern: TOKEN_PATTERN,
      allowed: '* or a list of methods such as GET,POST',
    }),
    corsAllowHeaders: list('CORS_ALLOW_HEADERS', {
      description: 'Headers they may send',
      default: ['*'],
      pattern: TOKEN_PATTERN,
      allowed: '* or a list of header names',
    }),
  },
  Postgres: {
    databaseUrlSetting: optionalText('DATABASE_URL', {
      description: 'PostgreSQL, as one URL; embedded when neither this nor POSTGRES_HOST is given',
      pattern: URL_PATTERN('postgres|postgresql'),
      allowed: 'a URL such as postgres://user:password@host:5432/database',
      secret: true,
    }),
    postgresHost: optionalText('POSTGRES_HOST', {
      description: 'PostgreSQL, in parts: host name or address',
      pattern: '^[A-Za-z0-9.:_\\-]{1,255}$',
      allowed: 'a host name or an IP address',
    }),
    postgresUser: text('POSTGRES_USER', { description: 'User name', default: 'postgres' }),
    postgresPassword: optionalText('POSTGRES_PASSWORD', {
      description: 'Password',
      secret: true,
    }),
    postgresPort: integer('POSTGRES_PORT', { description: 'Port', default: 5432, min: 1, max: 65535 }),
    postgresDb: optionalText('POSTGRES_DB', {
      description: 'Database; the project identifier with underscores when not given',
      maxLength: 63,
    }),
    postgresSslmode: choice('POSTGRES_SSLMODE', {
      description: 'TLS to PostgreSQL, with the meaning that libpq gives these words',
      default: 'prefer',
      of: ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'],
    }),
    postgresSslCa: optionalText('POSTGRES_SSL_CA', {
      description: 'File with the certificate authority that verify-ca and verify-full ask for (PEM)',
    }),
    postgresPoolSize: integer('POSTGRES_POOL_SIZE', {
      description: 'Connections kept open',
      default: 10,
      min: 1,
      max: 1000,
    }),
    postgresPoolOverflow: integer('POSTGRES_POOL_OVERFLOW', {
      description: 'Connections opened above that under load and closed when returned',
      default: 10,
      min: 0,
      max: 1000,
    }),
    migrateOnStart: flag('MIGRATE_ON_START', {
      description: 'Whether a start brings the schema up to date; otherwise npm run migrate does',
      default: true,
    }),
  },
  Mongo: {
    mongoUrl: optionalText('MONGO_URL', {
      description: 'MongoDB, as one URL; embedded when not given',
      pattern: URL_PATTERN('mongodb|mongodb\\+srv'),
      allowed: 'a URL such as mongodb://user:password@host:27017',
      secret: true,
    }),
    mongoDb: optionalText('MONGO_DB', {
      description: 'Database; the project identifier with underscores when not given',
      maxLength: 63,
      pattern: '^[^/\\\\. "$*<>:|?]+$',
      allowed: 'a name without spaces and / \\ . " $ * < > : | ?',
    }),
  },
  Redis: {
    redisUrl: optionalText('REDIS_URL', {
      description: 'Redis, as one URL, where all replicas count for the rate limits; each counts alone when not given',
      pattern: URL_PATTERN('redis|rediss'),
      allowed: 'a URL such as redis://user:password@host:6379/0',
      secret: true,
    }),
  },
  JWT: {
    accessTokenSigningKey: optionalText('ACCESS_TOKEN_SIGNING_KEY', {
      description: 'Key that signs access tokens; made once and kept in DATA_DIR/keys in development',
      secret: true,
    }),
    refreshTokenSigningKey: optionalText('REFRESH_TOKEN_SIGNING_KEY', {
      description: 'Key that signs refresh tokens; another one than that for access tokens',
      secret: true,
    }),
    accessTokenSigningKeyPrevious: optionalText('ACCESS_TOKEN_SIGNING_KEY_PREVIOUS', {
      description: 'Key of access tokens that signs no more, or not yet, and whose tokens are accepted',
      secret: true,
    }),
    refreshTokenSigningKeyPrevious: optionalText('REFRESH_TOKEN_SIGNING_KEY_PREVIOUS', {
      description: 'The same for refresh tokens',
      secret: true,
    }),
    jwtAlgorithm: choice('JWT_ALGORITHM', {
      description: 'What signs the tokens: the two keys above with HS256, key files of JWT_KEYS_DIR with any other',
      default: 'HS256',
      of: ['HS256', 'RS256', 'ES256', 'EdDSA'],
    }),
    jwtKeysDir: optionalText('JWT_KEYS_DIR', {
      description:
        'Folder of the key files in access/ and refresh/ (npm run keys:generate); made once in DATA_DIR/keys/jwt in development',
    }),
    accessTokenExpireMinutes: integer('ACCESS_TOKEN_EXPIRE_MINUTES', {
      description: 'Life of an access token',
      default: 15,
      min: 1,
      max: 1440,
      unit: 'minutes',
    }),
    refreshTokenExpireDays: integer('REFRESH_TOKEN_EXPIRE_DAYS', {
      description: 'Life of a refresh token',
      default: 60,
      min: 1,
      max: 365,
      unit: 'days',
    }),
    sessionExpireDays: integer('SESSION_EXPIRE_DAYS', {
      description: 'Life of a session, whatever happens in it',
      default: 180,
      min: 1,
      max: 3650,
      unit: 'days',
    }),
  },
  Mail: {
    smtpUrl: optionalText('SMTP_URL', {
      description:
        'Server that takes mail; without one, mail is written to DATA_DIR/mail in development, and what needs mail is refused in staging and production. smtps:// is TLS, smtp:// STARTTLS; ?tls=none behind it is for a relay without',
      pattern: URL_PATTERN('smtps?'),
      allowed: 'a URL such as smtps://user:password@smtp.example.org:465',
      secret: true,
    }),
    mailFrom: optionalText('MAIL_FROM', {
      description: 'Whom mail comes from; needed with SMTP_URL',
      pattern: `^([^<>"\\u0000-\\u001f\\u007f]{1,128} <${MAIL_ADDRESS}>|${MAIL_ADDRESS})$`,
      allowed: 'an address such as okapi@example.org or Okapi <okapi@example.org>',
    }),
  },
  Passwords: {
    passwordMinLength: integer('PASSWORD_MIN_LENGTH', {
      description: 'Shortest password that an account may have (NIST SP 800-63B-4: 15 for a password alone)',
      default: 15,
      min: 8,
      max: 128,
      unit: 'characters',
    }),
    argon2MemoryKib: integer('ARGON2_MEMORY_KIB', {
      description: 'Memory of one Argon2id hash (OWASP: 19456 with a time cost of 2)',
      default: 19_456,
      min: 7168,
      max: 1_048_576,
      unit: 'KiB',
    }),
    argon2TimeCost: integer('ARGON2_TIME_COST', {
      description: 'Passes of one Argon2id hash',
      default: 2,
      min: 1,
      max: 20,
    }),
    argon2Concurrency: integer('ARGON2_CONCURRENCY', {
      description: 'Hashes at a time',
      default: spareThreads,
      defaultInWords: 'the smaller of the cores and the libuv threads less two, at least 1',
      min: 1,
      max: 64,
    }),
  },
  Limits: {
    rateLimitEnabled: flag('RATE_LIMIT_ENABLED', {
      description: 'Whether requests are limited at all',
      default: true,
    }),
    rateLimitLoginAccount: hits('RATE_LIMIT_LOGIN_ACCOUNT', 'Sign-ins to one account from one address in a minute', 5),
    rateLimitLoginAddress: hits('RATE_LIMIT_LOGIN_ADDRESS', 'Sign-ins from one address in a minute', 30),
    rateLimitRegister: hits('RATE_LIMIT_REGISTER', 'Registrations from one address in an hour', 10),
    rateLimitGeneral: hits('RATE_LIMIT_GENERAL', 'Requests to /api from one address in a minute', 1200),
    registerRevealsTaken: flag('REGISTER_REVEALS_TAKEN', {
      description: 'Whether registering with an address that has an account is refused, or answered as if it had none',
      default: true,
    }),
  },
  Telemetry: {
    logLevel: choice('LOG_LEVEL', {
      description: 'What the console shows; the files take INFO and above',
      default: (environment) => (environment === 'production' ? 'INFO' : 'DEBUG'),
      of: ['DEBUG', 'INFO', 'WARNING', 'ERROR'],
    }),
    logDir: text('LOG_DIR', { description: 'Folder of the log files', default: 'logs' }),
    logFiles: flag('LOG_FILES', { description: 'Whether log files are written', default: true }),
    accessLog: flag('ACCESS_LOG', { description: 'Whether each request gets its line', default: true }),
    metricsToken: optionalText('METRICS_TOKEN', {
      description: 'Bearer token that /metrics asks for; in production /metrics is 404 without it',
      pattern: '^[A-Za-z0-9._~+/=\\-]{16,512}$',
      allowed: '16 to 512 characters of A-Z a-z 0-9 . _ ~ + / = -',
      secret: true,
    }),
    metricsPort: optionalInteger('METRICS_PORT', {
      description: 'Serve /metrics and the details of /health on this port instead',
      min: 1,
      max: 65535,
    }),
    traceContext: choice('TRACE_CONTEXT', {
      description: 'Whose traceparent is continued: every caller, the peers that TRUST_PROXY names, or nobody',
      default: (environment) => (isDeployed(environment) ? 'trusted' : 'always'),
      of: ['always', 'trusted', 'never'],
    }),
    traceUserId: flag('TRACE_USER_ID', { description: 'Whether spans carry the id of the user', default: true }),
    traceBaggageHosts: list('TRACE_BAGGAGE_HOSTS', {
      description: 'Servers to which the baggage of a request is handed on; nobody unless named',
      default: [],
      pattern: '^[A-Za-z0-9]([A-Za-z0-9.\\-]{0,251}[A-Za-z0-9])?$',
      allowed: 'host names without scheme and port, such as billing.example.org,stock.example.org',
    }),
    operationsSwitches: flag('OPERATIONS_SWITCHES', {
      description: 'Whether administrators may switch log levels and sampling, and take profiles, at run time',
      default: false,
    }),
  },
} as const satisfies Record<string, SettingTable>;

/**
 * How many hashes may run at a time: they share libuv's threads with file writes, so two of them are left free, or log
 * lines would wait behind passwords.
 */
function spareThreads(): number {
  const threads = Number(process.env['UV_THREADPOOL_SIZE']) || 4;
  return Math.max(1, Math.min(availableParallelism(), threads - 2));
}

type UnionToIntersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void ? I : never;
type Groups = typeof SETTINGS;

/** The values as read, before anything is derived from them. */
export type SettingValues = UnionToIntersection<{ [G in keyof Groups]: ValuesOf<Groups[G]> }[keyof Groups]>;

/** The table as one list, each definition with its property name and group. */
export const DEFINITIONS: readonly ListedSetting[] = Object.entries(SETTINGS).flatMap(([group, table]) =>
  listSettings(group, table),
);
