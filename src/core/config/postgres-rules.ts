import type { IsGiven } from './rules.ts';
import type { SettingValues } from './settings-table.ts';

const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'];
const CONNECTION_PARTS = {
  postgresHost: 'POSTGRES_HOST',
  postgresUser: 'POSTGRES_USER',
  postgresPassword: 'POSTGRES_PASSWORD',
  postgresPort: 'POSTGRES_PORT',
  postgresDb: 'POSTGRES_DB',
  postgresSslmode: 'POSTGRES_SSLMODE',
  postgresSslCa: 'POSTGRES_SSL_CA',
} as const;
type Part = keyof typeof CONNECTION_PARTS;

/** Where the address of PostgreSQL contradicts itself, or lacks its host. Returns one line a problem. */
export function findPostgresConflicts(values: SettingValues, isGiven: IsGiven): string[] {
  const given = (Object.keys(CONNECTION_PARTS) as Part[]).filter(isGiven);
  if (values.databaseUrlSetting === undefined) {
    if (isGiven('postgresHost') || isGiven('databaseUrlSetting') || given.length === 0) return [];
    const names = given.map((part) => CONNECTION_PARTS[part]).join(', ');
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
  const inUrl: Partial<Record<Part, string>> = {
    postgresHost: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    postgresUser: decodeURIComponent(url.username),
    postgresPassword: decodeURIComponent(url.password),
    postgresPort: url.port || '5432',
    postgresDb: decodeURIComponent(url.pathname.slice(1)),
    ...(sslMode === null ? {} : { postgresSslmode: sslMode }),
  };
  return given
    .filter((part) => inUrl[part] !== undefined && String(values[part]) !== inUrl[part])
    .map((part) => `${CONNECTION_PARTS[part]} differs from what DATABASE_URL says: keep one of the two`);
}

function isDecodable({ username, password, pathname }: URL): boolean {
  try {
    return [username, password, pathname].every((part) => typeof decodeURIComponent(part) === 'string');
  } catch {
    return false;
  }
}
