import { type ListedSetting, maskSecret, type Origin, originOfVariable, type Settings } from './config/index.ts';
import { redactText } from './logging/secret-shapes.ts';

/** One setting as people may see it. `value` is `null` where there is none, and masked where it is a secret. */
export type ShownSetting = { group: string; name: string; value: string | null; origin: Origin };

const VALUE_LIMIT = 1_000;

/** The settings of this process, each with where it came from: those of `definitions`, and the `OTEL_*` that are given. */
export function showSettings(settings: Settings, definitions: readonly ListedSetting[]): ShownSetting[] {
  const own = definitions.map((definition): ShownSetting => {
    const { group, env: name, secret } = definition;
    const value = valueIn(settings, definition);
    return {
      group,
      name,
      value: inWords(secret ? maskSecret(value) : value),
      origin: settings.origins[name] ?? 'default',
    };
  });
  return [...own, ...standardVariables()];
}

function valueIn(settings: Settings, { domain, property }: ListedSetting): unknown {
  const values: object = domain === undefined ? settings : (settings.domains[domain] ?? {});
  return (values as Record<string, unknown>)[property];
}

/** Headers hold the credentials of the receiver, and an address may. */
function standardVariables(): ShownSetting[] {
  const given = Object.entries(process.env).filter(([name, value]) => name.startsWith('OTEL_') && value);
  return given.sort().map(([name, value = '']) => ({
    group: 'OpenTelemetry',
    name,
    value: inWords(name.endsWith('_HEADERS') ? maskSecret(value) : redactText(value, VALUE_LIMIT)),
    origin: originOfVariable(name),
  }));
}

function inWords(value: unknown): string | null {
  return (Array.isArray(value) ? value.join(',') : String(value ?? '')) || null;
}
