import type { ListedSetting } from '../src/core/config/definition.ts';
import { listAllSettings, loadSettings, maskSecret, type Settings } from '../src/core/config/index.ts';
import { failToStart } from '../src/core/errors/startup-error.ts';
import { redactText } from '../src/core/logging/secret-shapes.ts';
import { DOMAIN_SETTINGS } from '../src/domains/settings.ts';

/** `npm run config`: the effective settings, each with where it came from; secrets are masked. */
const before = { ...process.env };
try {
  const settings = loadSettings(DOMAIN_SETTINGS);
  process.stdout.write([...describeSettings(settings), ...describeStandardVariables()].join('\n').concat('\n'));
} catch (error) {
  failToStart(error);
}

function describeSettings(settings: Settings): string[] {
  const groups = Map.groupBy(listAllSettings(DOMAIN_SETTINGS), ({ group }) => group);
  return [...groups].flatMap(([group, members]) => [
    '',
    group,
    ...members.map((each) => {
      const value = read(settings, each);
      return row(each.env, each.secret ? maskSecret(value) : value, settings.origins[each.env] ?? 'default');
    }),
  ]);
}

function read(settings: Settings, { domain, property }: ListedSetting): unknown {
  const values: object = domain === undefined ? settings : (settings.domains[domain] ?? {});
  return (values as Record<string, unknown>)[property];
}

/** The variables of OpenTelemetry that are given. Headers hold the credentials of the receiver, and an address may. */
function describeStandardVariables(): string[] {
  const given = Object.entries(process.env).filter(([name, value]) => name.startsWith('OTEL_') && value);
  const rows = given.sort().map(([name, value = '']) => {
    const shown = name.endsWith('_HEADERS') ? maskSecret(value) : redactText(value, 1000);
    return row(name, shown, before[name] ? 'environment' : '.env');
  });
  return rows.length === 0 ? [] : ['', 'OpenTelemetry', ...rows];
}

function row(name: string, value: unknown, origin: string): string {
  const text = Array.isArray(value) ? value.join(',') : String(value ?? '');
  return `  ${name.padEnd(30)} ${(text || '-').padEnd(40)} ${origin}`;
}
