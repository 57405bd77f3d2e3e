import { isIP } from 'node:net';
import { isDeployed } from './definition.ts';
import type { SettingValues } from './settings-table.ts';

/** Whether a setting was given by anybody, as opposed to being its default. */
export type IsGiven = (property: keyof SettingValues) => boolean;

const WELL_KNOWN_KEY =
  /^(.)\1+$|change[-_ ]?me|your[-_ ](secret|key|256)|secret[-_ ]?key|^(super)?[-_ ]?secret|example|placeholder|0123456789|abcdefgh|password/i;
const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'];
const CONNECTION_PARTS = {
  postgresHost: 'POSTGRES_HOST',
  postgresUser: 'POSTGRES_USER',
  postgresPassword: 'POSTGRES_PASSWORD',
  postgresPort: 'POSTGRES_PORT',
  postgresDb: 'POSTGRES_DB',
} as const;

/** What no single setting can tell: how they stand to each other. Returns one line a problem. */
export function findConflicts(values: SettingValues, isGiven: IsGiven): string[] {
  return [
    ...postgresConflicts(values, isGiven),
    ...trustProxyProblems(values),
    ...signingKeyProblems(values),
    ...(values.metricsPort !== undefined && values.metricsPort === values.port
      ? ['METRICS_PORT must differ from PORT: choose another port for one of them']
      : []),
    ...(isDeployed(values.environment) ? deploymentProblems(values, isGiven) : []),
  ];
}

function postgresConflicts(values: SettingValues, isGiven: IsGiven): string[] {
  const given = (Object.keys(CONNECTION_PARTS) as (keyof typeof CONNECTION_PARTS)[]).filter(isGiven);
  if (values.databaseUrlSetting === undefined) {
    if (values.postgresHost !== undefined || given.length === 0) return [];
    const names = given.map((property) => CONNECTION_PARTS[property]).join(', ');
    return [`${names} given without POSTGRES_HOST: set POSTGRES_HOST or DATABASE_URL, or remove it`];
  }
  const url = URL.parse(values.databaseUrlSetting);
  if (url === null || !isDecodable(url)) {
    return ['DATABASE_URL must be a URL such as postgres://user:password@host:5432/database, with %25 for a %'];
  }
  const sslMode = url.searchParams.get('sslmode');
  if (sslMode !== null && !SSL_MODES.includes(sslMode)) {
    return [`DATABASE_URL has an sslmode that is none: it must be one of ${SSL_MODES.join(', ')}`];
  }
  const inUrl: Record<keyof typeof CONNECTION_PARTS, string> = {
    postgresHost: url.hostname,
    postgresUser: decodeURIComponent(url.username),
    postgresPassword: decodeURIComponent(url.password),
    postgresPort: url.port || '5432',
    postgresDb: decodeURIComponent(url.pathname.slice(1)),
  };
  return given
    .filter((property) => String(values[property]) !== inUrl[property])
    .map((property) => `${CONNECTION_PARTS[property]} differs from what DATABASE_URL says: keep one of the two`);
}

function isDecodable({ username, password, pathname }: URL): boolean {
  try {
    return [username, password, pathname].every((part) => typeof decodeURIComponent(part) === 'string');
  } catch {
    return false;
  }
}

function trustProxyProblems({ trustProxy }: SettingValues): string[] {
  const singles = trustProxy.filter((entry) => entry === 'none' || /^\d{1,2}$/.test(entry));
  if (singles.length > 0 && trustProxy.length > 1) {
    return ['TRUST_PROXY must be "none", one number of hops, or a list of networks: not a mixture'];
  }
  if (singles.length > 0) return [];
  return trustProxy
    .filter((entry) => !isNetwork(entry))
    .map((entry) => `TRUST_PROXY has ${JSON.stringify(entry)}, which is no network such as 10.0.0.0/8 or ::1/128`);
}

/** An address, or one with the length of its prefix (RFC 4632 §3.1, RFC 4291 §2.3). */
function isNetwork(entry: string): boolean {
  const [address = '', prefix = '0'] = entry.split('/');
  const family = isIP(address);
  return family !== 0 && Number(prefix) <= (family === 4 ? 32 : 128);
}

function signingKeyProblems(values: SettingValues): string[] {
  const { accessTokenSigningKey: access, refreshTokenSigningKey: refresh } = values;
  const problems: string[] = [];
  for (const [name, key] of [
    ['ACCESS_TOKEN_SIGNING_KEY', access],
    ['REFRESH_TOKEN_SIGNING_KEY', refresh],
  ] as const) {
    if (key === undefined) {
      if (isDeployed(values.environment)) problems.push(`${name} is missing: ${MAKE_A_KEY}`);
    } else if (Buffer.byteLength(key) < 32) {
      problems.push(`${name} is shorter than 32 bytes: ${MAKE_A_KEY}`);
    } else if (isDeployed(values.environment) && WELL_KNOWN_KEY.test(key)) {
      problems.push(`${name} is a well-known or guessable value: ${MAKE_A_KEY}`);
    }
  }
  if (access !== undefined && access === refresh) {
    problems.push('REFRESH_TOKEN_SIGNING_KEY must differ from ACCESS_TOKEN_SIGNING_KEY: make a second key');
  }
  return problems;
}

const MAKE_A_KEY = 'make one with "openssl rand -base64 48"';

function deploymentProblems(values: SettingValues, isGiven: IsGiven): string[] {
  const where = `in ${values.environment}`;
  const problems: string[] = [];
  if (values.databaseUrlSetting === undefined && values.postgresHost === undefined) {
    problems.push(`DATABASE_URL is missing: the embedded PostgreSQL is refused ${where}; set it or POSTGRES_HOST`);
  }
  if (values.mongoUrl === undefined) {
    problems.push(`MONGO_URL is missing: the embedded Mongo-protocol server is refused ${where}`);
  }
  if (values.corsAllowCredentials && values.corsAllowOrigins.includes('*')) {
    problems.push(
      `CORS_ALLOW_ORIGINS is * with CORS_ALLOW_CREDENTIALS, refused ${where}: list the origins, or set CORS_ALLOW_CREDENTIALS=false`,
    );
  }
  if (!isGiven('trustProxy')) {
    problems.push(`TRUST_PROXY is missing: ${where} say how many proxies stand in front, their networks, or "none"`);
  }
  return problems;
}
