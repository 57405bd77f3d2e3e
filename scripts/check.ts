import { spawnSync } from 'node:child_process';
import { findForbiddenImports } from './import-rules.ts';

/** `npm run check`: types, lint and formatting, import rules. All are run, so that one run shows all that is wrong. */
const steps: [string, () => boolean][] = [
  ['types', () => run('tsc', ['--project', '.'])],
  ['lint and formatting', () => run('biome', ['check', '.'])],
  ['import rules', importRules],
];

const failed = steps.filter(([name, step]) => {
  const ok = step();
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name}\n`);
  return !ok;
});
process.exitCode = failed.length > 0 ? 1 : 0;

function run(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'inherit' }).status === 0;
}

function importRules(): boolean {
  const { files, violations } = findForbiddenImports(process.cwd());
  for (const violation of violations) process.stdout.write(`${violation}\n`);
  if (files === 0) process.stdout.write('No file was looked at: run it from the root of the project\n');
  return files > 0 && violations.length === 0;
}
