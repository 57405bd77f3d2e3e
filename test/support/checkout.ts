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

/** Copies the checkout to `folder`, for a test that changes or builds it. The installed packages are linked. */
export function copyCheckout(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const part of PARTS) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
