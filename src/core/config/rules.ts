import { isIP } from 'node:net';
import { isDeployed } from './definition.ts';
import { findMailProblems } from './mail-rules.ts';
import { findPostgresConflicts } from './postgres-rules.ts';
import type { SettingValues } from './settings-table.ts';
import { findSigningKeyProblems } from './signing-key-rules.ts';

/** Whether a setting was given by anybody, though perhaps refused, as opposed to being its default. */
export type IsGiven = (property: keyof SettingValues) => boolean;

/** What no single setting can tell: how they stand to each other. Returns one line a problem. */
export function findConflicts(values: SettingValues, isGiven: IsGiven): string[] {
  return [
    ...findPostgresConflicts(values, isGiven),
    ...findTrustProxyProblems(values),
    ...findRedisProblems(values),
    ...findSigningKeyProblems(values, isGiven),
    ...findMailProblems(values),
    ...(values.metricsPort !== undefined && values.metricsPort === values.port
      ? ['METRICS_PORT must differ from PORT: choose another port for one of them']
      : []),
    ...(isDeployed(values.environment) ? findDeploymentProblems(values, isGiven) : []),
  ];
}

function findTrustProxyProblems({ trustProxy }: SettingValues): string[] {
  const singles = trustProxy.filter((entry) => entry === 'none' || /^\d{1,2}$/.test(entry));
  if (singles.length > 0 && trustProxy.length > 1) {
    return ['TRUST_PROXY must be "none", one number of hops, or a list of networks: not a mixture'];
  }
  if (singles.length > 0) return [];
  return trustProxy
    .filter((entry) => !isNetwork(entry))
    .map((entry) => `TRUST_PROXY has ${JSON.stringify(entry)}, which is no network such as 10.0.0.0/8 or ::1/128`);
}

function findRedisProblems({ redisUrl }: SettingValues): string[] {
  if (redisUrl === undefined) return [];
  const url = URL.parse(redisUrl);
  return url !== null && url.hostname !== '' && /^(\/\d{0,4})?$/.test(url.pathname)
    ? []
    : ['REDIS_URL must be a URL such as redis://user:password@host:6379/0, with %40 for an @ in a name or password'];
}

/** An address, or one with the length of its prefix (RFC 4632 §3.1, RFC 4291 §2.3). */
function isNetwork(entry: string): boolean {
  const [address = '', prefix = '0'] = entry.split('/');
  const family = isIP(address);
  return family !== 0 && Number(prefix) <= (family === 4 ? 32 : 128);
}

function findDeploymentProblems(values: SettingValues, isGiven: IsGiven): string[] {
  const where = `in ${values.environment}`;
  const problems: string[] = [];
  if (!isGiven('databaseUrlSetting') && !isGiven('postgresHost')) {
    problems.push(`DATABASE_URL is missing: the embedded PostgreSQL is refused ${where}; set it or POSTGRES_HOST`);
  }
  if (!isGiven('mongoUrl')) {
    problems.push(`MONGO_URL is missing: the embedded Mongo-protocol server is refused ${where}; set it`);
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
