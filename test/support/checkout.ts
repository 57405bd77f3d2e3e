import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './service.ts';

const PARTS = [
  'src',
  'scripts',
  'instrumentation.ts',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  '.npmrc',
];

/** What a copy needs in addition, for tests to be checked and run in it. */
export const FOR_TESTS = ['test/support', '.mocharc.json', 'biome.json', '.gitignore', '.env.example'];

/**
 * Copies the checkout to `folder`, for a test that changes or builds it, with `more` of its files if need be. The installed
 * packages are linked.
 */
export function copyCheckout(folder: string, more: readonly string[] = []): string {
  mkdirSync(folder, { recursive: true });
  for (const part of [...PARTS, ...more]) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
