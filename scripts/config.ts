import { getSettings, maskSecret } from '../src/core/config/index.ts';
import { DEFINITIONS } from '../src/core/config/settings-table.ts';
import { failToStart } from '../src/core/errors/startup-error.ts';

/** `npm run config`: the effective settings, each with where it came from; secrets are masked. */
try {
  const settings = getSettings();
  let group = '';
  for (const definition of DEFINITIONS) {
    if (definition.group !== group) {
      group = definition.group;
      process.stdout.write(`\n${group}\n`);
    }
    const value: unknown = settings[definition.property as keyof typeof settings];
    const shown = definition.secret ? maskSecret(value) : Array.isArray(value) ? value.join(',') || undefined : value;
    const origin = settings.origins[definition.property];
    process.stdout.write(`  ${definition.env.padEnd(30)} ${String(shown ?? '-').padEnd(40)} ${origin}\n`);
  }
} catch (error) {
  failToStart(error);
}
