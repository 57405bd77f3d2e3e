import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type FileAlgorithm, newKeyPem } from './new-key-file.ts';

/**
 * A signing key for development and tests: made once and kept in `<dataDir>/keys/` with mode 0600, so that a restart
 * signs nobody out. Two processes that start together get the same one.
 */
export function developmentKey(dataDir: string, name: 'access-token' | 'refresh-token'): string {
  const path = join(dataDir, 'keys', `${name}-signing-key`);
  return madeOnce(path, () => randomBytes(48).toString('base64url'));
}

/** The same for the algorithms whose keys stand in files: a key file in `folder`. */
export function makeDevelopmentKeyFile(folder: string, algorithm: FileAlgorithm): void {
  madeOnce(join(folder, `${algorithm}.pem`), () => newKeyPem(algorithm));
}

/** What the file holds; when there is none, it is made with `content`. */
function madeOnce(path: string, content: () => string): string {
  const existing = readKey(path);
  if (existing !== undefined) return existing;

  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content(), { mode: 0o600, flush: true });
  try {
    // A link is made whole or not at all, and never over a key that is there.
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // An empty file, from a disk that was full perhaps, is no key.
    if (readKey(path) === undefined) renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(path, 'utf8');
}

function readKey(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8') || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
