import type { SettingValues } from './settings-table.ts';

export type DerivedSettings = ReturnType<typeof deriveSettings>;

/** What follows from the settings: identifiers, connection URLs, lifetimes in seconds. */
export function deriveSettings(values: SettingValues) {
  const projectIdentifier = values.projectName
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, '-');
  const defaultDatabase = projectIdentifier.replaceAll('-', '_');
  const databaseUrl = databaseUrlOf(values, defaultDatabase);
  const day = 86_400;
  return {
    projectIdentifier,
    /** The audience of the tokens. */
    projectClientIdentifier: `${projectIdentifier}-client`,
    databaseName: databaseUrl === undefined ? defaultDatabase : databaseNameIn(databaseUrl, defaultDatabase),
    mongoDatabaseName: values.mongoDb ?? defaultDatabase,
    /** `undefined` while PostgreSQL is to be embedded. */
    databaseUrl,
    testDatabaseUrl: databaseUrl === undefined ? undefined : withDatabase(databaseUrl, (name) => `${name}_test`),
    databaseServerUrl: databaseUrl === undefined ? undefined : withDatabase(databaseUrl, () => 'postgres'),
    accessTokenTtlSeconds: values.accessTokenExpireMinutes * 60,
    refreshTokenTtlSeconds: values.refreshTokenExpireDays * day,
    sessionTtlSeconds: values.sessionExpireDays * day,
  };
}

function databaseUrlOf(values: SettingValues, defaultDatabase: string): string | undefined {
  if (values.databaseUrlSetting !== undefined) {
    return withDatabase(values.databaseUrlSetting, (name) => name || defaultDatabase);
  }
  if (values.postgresHost === undefined) return undefined;
  const host = values.postgresHost.includes(':') ? `[${values.postgresHost}]` : values.postgresHost;
  const user = encodeURIComponent(values.postgresUser);
  const password = values.postgresPassword === undefined ? '' : `:${encodeURIComponent(values.postgresPassword)}`;
  const database = encodeURIComponent(values.postgresDb ?? defaultDatabase);
  return `postgres://${user}${password}@${host}:${values.postgresPort}/${database}`;
}

function withDatabase(url: string, rename: (name: string) => string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${encodeURIComponent(rename(databaseNameIn(url, '')))}`;
  return parsed.href;
}

function databaseNameIn(url: string, otherwise: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1)) || otherwise;
}
