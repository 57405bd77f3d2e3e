import { inspect } from 'node:util';
import { Ajv, type ErrorObject } from 'ajv';
import { StartupError } from '../errors/startup-error.ts';
import type { SettingDefinition } from './definition.ts';
import { type DerivedSettings, deriveSettings } from './derived.ts';
import { findConflicts } from './rules.ts';
import { DEFINITIONS, type SettingValues } from './settings-table.ts';
import { findText, type Origin, readEnvFile, type Variables } from './sources.ts';

/** Every setting, complete, checked and frozen. However it is printed (JSON, inspect, log), secrets are masked. */
export type Settings = SettingValues & DerivedSettings & { readonly origins: Readonly<Record<string, Origin>> };

/** All that is wrong with the settings, one line a problem, no value of a secret among them. */
export class SettingsError extends StartupError {
  override name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
const validate = ajv.compile({
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(DEFINITIONS.map(({ property, schema }) => [property, schema])),
});

/**
 * Reads settings from `environment` and `envFile`, without touching the process.
 * Throws `SettingsError` with every problem at once.
 */
export function readSettings(environment: Variables, envFile: Variables = {}): Settings {
  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  const problems: string[] = [];
  for (const definition of DEFINITIONS) {
    const found = findText(definition, environment, envFile);
    if (found === undefined) continue;
    if ('problem' in found) problems.push(found.problem);
    else {
      values[definition.property] = definition.parse(found.text);
      origins[definition.property] = found.origin;
    }
  }
  const refused = validate(values) ? [] : refusedDefinitions(validate.errors ?? []);
  for (const definition of refused) {
    problems.push(describe(definition, values[definition.property]));
    delete values[definition.property];
  }

  const target = (values['environment'] ?? 'development') as Settings['environment'];
  for (const { property, defaultValue } of DEFINITIONS) {
    if (property in values) continue;
    values[property] = defaultValue(target);
    origins[property] = 'default';
  }
  const complete = values as SettingValues;
  const conflicts = findConflicts(complete, (property) => origins[property] !== 'default');
  problems.push(...conflicts.filter((line) => !problems.some((problem) => firstWord(problem) === firstWord(line))));
  if (problems.length > 0) throw new SettingsError(problems);
  return maskWhenPrinted({ ...complete, ...deriveSettings(complete), origins });
}

function refusedDefinitions(errors: readonly ErrorObject[]): (typeof DEFINITIONS)[number][] {
  const properties = new Set(errors.map((error) => error.instancePath.split('/')[1]));
  return DEFINITIONS.filter(({ property }) => properties.has(property));
}

function describe({ env, allowed, secret }: SettingDefinition, value: unknown): string {
  const shown = secret ? '' : `, not ${JSON.stringify(Array.isArray(value) ? value.join(',') : value).slice(0, 80)}`;
  return `${env} must be ${allowed}${shown}`;
}

function firstWord(line: string): string | undefined {
  return line.split(/[ ,]/, 1)[0]?.replace(/_FILE$/, '');
}

const SECRET_PROPERTIES = new Set([
  ...DEFINITIONS.filter(({ secret }) => secret).map(({ property }) => property),
  'databaseUrl',
  'testDatabaseUrl',
  'databaseServerUrl',
]);

/** What stands for a secret wherever settings are shown: `•••• (32 bytes)`. */
export function maskSecret(value: unknown): unknown {
  return typeof value === 'string' ? `•••• (${Buffer.byteLength(value)} bytes)` : value;
}

function maskWhenPrinted(settings: Settings): Settings {
  const masked = () =>
    Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [key, SECRET_PROPERTIES.has(key) ? maskSecret(value) : value]),
    );
  const hidden = { enumerable: false, value: masked };
  Object.defineProperties(settings, { toJSON: hidden, [inspect.custom]: hidden });
  return Object.freeze(settings);
}

let cached: Settings | undefined;

/** The settings of this process, read once from its environment and `.env`. Throws `SettingsError`. */
export function getSettings(): Settings {
  cached ??= readSettings(process.env, envFileAt('.env'));
  return cached;
}

function envFileAt(path: string): Variables {
  try {
    return readEnvFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new SettingsError([`${path} cannot be read (${code}): make it readable or remove it`]);
  }
}

/** For tests: the next `getSettings()` gives these, or reads anew when none are given. */
export function resetSettings(settings?: Settings): void {
  cached = settings;
}
