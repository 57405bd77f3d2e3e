import { listAllSettings, loadSettings } from '../src/core/config/index.ts';
import { type ShownSetting, showSettings } from '../src/core/effective-settings.ts';
import { failToStart } from '../src/core/errors/startup-error.ts';
import { DOMAIN_SETTINGS } from '../src/domains/settings.ts';

/** `npm run config`: the effective settings, each with where it came from; secrets are masked. */
try {
  const shown = showSettings(loadSettings(DOMAIN_SETTINGS), listAllSettings(DOMAIN_SETTINGS));
  const groups = Map.groupBy(shown, ({ group }) => group);
  const lines = [...groups].flatMap(([group, members]) => ['', group, ...members.map(row)]);
  process.stdout.write(lines.join('\n').concat('\n'));
} catch (error) {
  failToStart(error);
}

function row({ name, value, origin }: ShownSetting): string {
  return `  ${name.padEnd(30)} ${(value ?? '-').padEnd(40)} ${origin}`;
}
