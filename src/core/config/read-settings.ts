import { Ajv } from 'ajv';
import { StartupError } from '../errors/startup-error.ts';
import type { ListedSetting, SettingDefinition } from './definition.ts';
import { type DerivedSettings, deriveSettings } from './derived.ts';
import { type DomainSettings, findNameProblems, listSettings, type WithDomains } from './domain-settings.ts';
import { maskWhenPrinted } from './masking.ts';
import { findConflicts } from './rules.ts';
import { DEFINITIONS, type SettingValues } from './settings-table.ts';
import { findText, type Origin, type Variables } from './sources.ts';

/**
 * Every setting, complete, checked and frozen. However it is printed (JSON, inspect, log), secrets are masked.
 * `origins` says by the name of the variable where each came from.
 */
export type Settings = SettingValues &
  DerivedSettings &
  WithDomains & { readonly origins: Readonly<Record<string, Origin>> };

/** All that is wrong with the settings, one line a problem, no value of a secret among them. */
export class SettingsError extends StartupError {
  override name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

const NO_DOMAINS: readonly DomainSettings[] = [];

/** All definitions, those of the core first, in the order in which they are shown. */
export function listAllSettings(domains: readonly DomainSettings[] = NO_DOMAINS): ListedSetting[] {
  return [...DEFINITIONS, ...domains.flatMap(({ domain, table }) => listSettings(`Domain: ${domain}`, table, domain))];
}

/**
 * Reads settings from `environment` and `envFile`, without touching the process: those of the core and those that
 * domains contribute, in one pass. Throws `SettingsError` with every problem at once.
 */
export function readSettings(
  environment: Variables,
  envFile: Variables = {},
  domains: readonly DomainSettings[] = NO_DOMAINS,
): Settings {
  const nameProblems = findNameProblems(DEFINITIONS, domains);
  if (nameProblems.length > 0) throw new SettingsError(nameProblems);
  const definitions = listAllSettings(domains);

  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  const given = new Set<string>();
  const problems: string[] = [];
  for (const definition of definitions) {
    const { env } = definition;
    const found = findText(definition, environment, envFile);
    if (found === undefined) continue;
    given.add(env);
    if ('problem' in found) problems.push(found.problem);
    else {
      values[env] = definition.parse(found.text);
      origins[env] = found.origin;
    }
  }
  for (const definition of findRefused(definitions, values)) {
    problems.push(describe(definition, values[definition.env]));
    delete values[definition.env];
  }

  const target = (values['ENVIRONMENT'] ?? 'development') as Settings['environment'];
  for (const { env, defaultValue } of definitions) {
    if (env in values) continue;
    values[env] = defaultValue(target);
    origins[env] = 'default';
  }
  const complete = byProperty(DEFINITIONS, values) as SettingValues;
  const conflicts = findConflicts(complete, (property) => given.has(VARIABLE_OF[property]));
  problems.push(...conflicts.filter((line) => !problems.some((problem) => firstWord(problem) === firstWord(line))));
  if (problems.length > 0) throw new SettingsError(problems);

  const contributed = domains.map(({ domain, table }): [string, Readonly<Record<string, unknown>>] => {
    const listed = listSettings(domain, table, domain);
    return [domain, maskWhenPrinted(byProperty(listed, values), secretsAmong(listed))];
  });
  return maskWhenPrinted(
    {
      ...complete,
      ...deriveSettings(complete),
      domains: Object.freeze(Object.fromEntries(contributed)),
      origins: Object.freeze(origins),
    },
    CORE_SECRETS,
  );
}

const VARIABLE_OF = Object.fromEntries(DEFINITIONS.map(({ property, env }) => [property, env])) as Record<
  keyof SettingValues,
  string
>;
const CORE_SECRETS = new Set([...secretsAmong(DEFINITIONS), 'databaseUrl', 'testDatabaseUrl', 'databaseServerUrl']);

function secretsAmong(definitions: readonly ListedSetting[]): Set<string> {
  return new Set(definitions.filter(({ secret }) => secret).map(({ property }) => property));
}

function byProperty(definitions: readonly ListedSetting[], values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(definitions.map(({ property, env }) => [property, values[env]]));
}

// Compiling refuses what is no schema too; to hold it against the schema of schemas as well takes longer than that.
const ajv = new Ajv({ strict: true, allowUnionTypes: true, validateSchema: false });

/** Those whose value their schema refuses. Only the schemas of what is set are compiled, each once. */
function findRefused(definitions: readonly ListedSetting[], values: Record<string, unknown>): ListedSetting[] {
  return definitions.filter(({ env, schema }) => env in values && !ajv.validate(schema, values[env]));
}

function describe({ env, allowed, secret }: SettingDefinition, value: unknown): string {
  const shown = secret ? '' : `, not ${JSON.stringify(Array.isArray(value) ? value.join(',') : value).slice(0, 80)}`;
  return `${env} must be ${allowed}${shown}`;
}

/** The variable that a problem is about. */
function firstWord(line: string): string | undefined {
  return line.split(/[ ,]/, 1)[0]?.replace(/_FILE$/, '');
}
