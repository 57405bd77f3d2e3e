import type { ListedSetting, SettingTable, ValuesOf } from './definition.ts';

/** The settings that one domain contributes: read, checked and shown together with those of the core. */
export type DomainSettings<Table extends SettingTable = SettingTable> = {
  readonly domain: string;
  readonly table: Table;
  /** What this domain's settings are. Throws where `settings` were read without them. */
  valuesIn(settings: WithDomains): ValuesOf<Table>;
};

/** The values of the domains, by domain and property. */
export type WithDomains = { readonly domains: Readonly<Record<string, Readonly<Record<string, unknown>>>> };

/**
 * Declares the settings of a domain, each by one of `text`, `integer`, `flag`, `choice`, `list`, `bytes` and their kin.
 * They take effect once they are listed in `src/domains/settings.ts`.
 */
export function domainSettings<const Table extends SettingTable>(domain: string, table: Table): DomainSettings<Table> {
  return {
    domain,
    table,
    valuesIn({ domains }) {
      const values = domains[domain];
      if (values === undefined) {
        throw new Error(`The settings of the domain ${domain} were not read: list them in src/domains/settings.ts`);
      }
      return values as ValuesOf<Table>;
    },
  };
}

/** A table as a list; `domain` is whose it is, unless it is the core's. */
export function listSettings(group: string, table: SettingTable, domain?: string): ListedSetting[] {
  return Object.entries(table).map(([property, definition]) => ({
    ...definition,
    group,
    property,
    ...(domain === undefined ? {} : { domain }),
  }));
}

const VARIABLE = /^[A-Z][A-Z0-9_]*$/;
/** Variables that belong to others, whatever a domain means by them. */
const FOREIGN = /^(OTEL|NODE|UV|npm)_|^(PATH|HOME|TZ|LANG)$/;

/**
 * What is wrong with the names that domains gave their settings, one line each: a name that is another's already (that
 * of a secret's file included), and one that no variable of ours can have.
 */
export function findNameProblems(core: readonly ListedSetting[], domains: readonly DomainSettings[]): string[] {
  const problems: string[] = [];
  const names = new Set<string>();
  const owners = new Map<string, string>();
  const claim = (name: string, owner: string) => {
    const other = owners.get(name);
    if (other === undefined) owners.set(name, owner);
    else problems.push(`${name} is a setting of ${other} and of ${owner}: rename it in ${owner}`);
  };
  const claimAll = (settings: readonly ListedSetting[], owner: string) => {
    for (const { env, secret } of settings) {
      claim(env, owner);
      if (secret) claim(`${env}_FILE`, owner);
    }
  };
  claimAll(core, 'the core');
  for (const { domain, table } of domains) {
    const owner = `the domain ${domain}`;
    if (names.has(domain)) problems.push(`Two domains contribute settings as ${domain}: rename one of them`);
    names.add(domain);
    const settings = listSettings(domain, table, domain);
    for (const { env } of settings) {
      if (VARIABLE.test(env) && !FOREIGN.test(env)) continue;
      problems.push(
        `${JSON.stringify(env)} is no name for a setting of ${owner}: use A-Z, 0-9 and _, and no variable of others`,
      );
    }
    claimAll(settings, owner);
  }
  return problems;
}
