import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { StartupError } from '../../core/errors/startup-error.ts';
import { giveToOwnerOf } from './ownership.ts';

/**
 * The embedded server's password: random, made once, kept in `keys/postgres-password` (0600) of the data folder. It is
 * safe in a URL as it is.
 * @param isNew whether a server has yet to be initialised with it.
 * @throws StartupError when it is missing though there is a server that was initialised with one.
 */
export async function postgresPassword(dataDir: string, isNew: boolean): Promise<string> {
  const keys = join(dataDir, 'keys');
  const file = join(keys, 'postgres-password');
  const kept = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw new StartupError(
      `${file} cannot be read by this user: start as its owner, or set DATA_DIR to another folder`,
    );
  });
  if (kept.trim() !== '') return kept.trim();
  if (!isNew) {
    throw new StartupError(
      `${file} is missing, without which ${join(dataDir, 'postgres')} cannot be opened: restore it, or set DATA_DIR to another folder to begin anew`,
    );
  }
  await mkdir(keys, { recursive: true, mode: 0o700 });
  await giveToOwnerOf(dataDir, keys);
  const password = randomBytes(32).toString('base64url');
  await writeDurably(file, password);
  await giveToOwnerOf(dataDir, file);
  return password;
}

/** Complete or not there at all, whenever the process is killed. */
async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
}
