import type { DomainSettings } from './domain-settings.ts';
import { readSettings, type Settings, SettingsError } from './read-settings.ts';
import { type Origin, readEnvFile, type Variables } from './sources.ts';

const ENV_FILE = '.env';

let cached: Settings | undefined;
/** The `OTEL_*` variables that stand in the environment because `.env` has them. */
const fromEnvFile = new Set<string>();

/**
 * Reads the settings of this process, once, at its start: from its environment and `.env`, those of the core and those
 * that `domains` contribute. The `OTEL_*` variables of `.env` are put into the environment, where the SDK looks for
 * them. Throws `SettingsError`.
 */
export function loadSettings(domains: readonly DomainSettings[]): Settings {
  const envFile = envFileAt(ENV_FILE);
  cached = readSettings(process.env, envFile, domains);
  for (const [name, value] of Object.entries(envFile)) {
    if (!name.startsWith('OTEL_') || process.env[name]) continue;
    process.env[name] = value;
    fromEnvFile.add(name);
  }
  return cached;
}

/** Where an `OTEL_*` variable came from. */
export function originOfVariable(name: string): Origin {
  return fromEnvFile.has(name) ? '.env' : 'environment';
}

/**
 * The settings as they would be read now, with what has changed since in `.env` and in the files of secrets. Those of
 * the process stay as they are. Throws `SettingsError`.
 */
export function rereadSettings(domains: readonly DomainSettings[]): Settings {
  return readSettings(process.env, envFileAt(ENV_FILE), domains);
}

/** The settings of this process as loaded at its start; without that, those of the core alone. Throws `SettingsError`. */
export function getSettings(): Settings {
  return cached ?? loadSettings([]);
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
