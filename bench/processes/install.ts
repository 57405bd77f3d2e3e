import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TIMEOUT_MS = 600_000;

/** Installs the packages of a folder as its lock file says, unless they are there. Rejects with what npm said. */
export async function installPackages(folder: string, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  const wanted = statSync(join(folder, 'package-lock.json'));
  const installed = statSync(join(folder, 'node_modules', '.package-lock.json'), { throwIfNoEntry: false });
  if (installed !== undefined && installed.mtimeMs >= wanted.mtimeMs) return;
  say(`Installing the packages of ${folder.slice(process.cwd().length + 1)}`);
  await run('npm', ['ci', '--prefix', folder], { cwd: folder, signal, timeout: TIMEOUT_MS });
}
