import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { keyPair, MIN_RSA_BITS, type TokenKey, UnusableKeyError } from './token-key.ts';

/** What may stand in a folder of keys, in words. */
const ALLOWED = `allowed are RSA keys of at least ${MIN_RSA_BITS} bits, EC keys on P-256 and Ed25519 keys, as PEM (PKCS#8; SPKI for a public half), not encrypted`;
const MAX_FILE_BYTES = 64 * 1024;
const PEM = /-----BEGIN ([A-Z0-9 ]+)-----/;
const PRIVATE_LABELS = ['PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY'];
const TIME_IN_NAME = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z/;

/** A key with the file that it came from. */
export type KeyFile = { readonly path: string; readonly key: TokenKey };

/** What a folder holds; a line for each file that cannot be used, and one for each that others may read. */
export type KeyFolder = { files: KeyFile[]; problems: string[]; warnings: string[] };

/**
 * Reads every `*.pem` of a folder, in the order of their names. A name that begins with a time in UTC, such as
 * `20260131T120000Z`, says from when on the key signs; any other signs from ever. A folder that is not there is empty.
 */
export function readKeyFolder(folder: string): KeyFolder {
  const found: KeyFolder = { files: [], problems: [], warnings: [] };
  for (const name of pemFiles(folder, found)) {
    const path = join(folder, name);
    try {
      const { mode } = statSync(path);
      const key = keyPair(parsePem(readFileSync(path)), timeInName(name));
      found.files.push({ path, key });
      if (key.signing !== undefined && (mode & 0o004) !== 0) {
        found.warnings.push(`${path} can be read by every user of this machine: chmod 600 ${path}`);
      }
    } catch (error) {
      found.problems.push(`${path} ${problemOf(error)}`);
    }
  }
  return found;
}

function pemFiles(folder: string, { problems }: KeyFolder): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.pem'))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') problems.push(`${folder} ${problemOf(error)}`);
    return [];
  }
}

function problemOf(error: unknown): string {
  if (error instanceof UnusableKeyError) return `${error.message}: ${ALLOWED}`;
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return `cannot be read (${code}): make it readable for the user that the service runs as, or remove it`;
}

function parsePem(content: Buffer): KeyObject {
  if (content.length > MAX_FILE_BYTES) throw new UnusableKeyError('is larger than 64 KiB');
  const label = PEM.exec(content.toString('latin1'))?.[1];
  if (label === undefined) throw new UnusableKeyError('is no PEM');
  const isPrivate = PRIVATE_LABELS.includes(label);
  if (!isPrivate && label !== 'PUBLIC KEY') throw new UnusableKeyError(`holds "${label}"`);
  try {
    return isPrivate ? createPrivateKey(content) : createPublicKey(content);
  } catch {
    // OpenSSL's reasons name its routines and help nobody.
    throw new UnusableKeyError('is damaged, or encrypted');
  }
}

function timeInName(name: string): number {
  const [time, ...parts] = TIME_IN_NAME.exec(name) ?? [];
  if (time === undefined) return 0;
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = parts.map(Number);
  const ms = Date.UTC(year, month - 1, day, hours, minutes, seconds);
  if (timeStamp(ms) !== time) throw new UnusableKeyError(`begins with ${time}, which is no time`);
  return ms;
}

/** A time as names of key files begin with it: `20260131T120000Z`. */
export function timeStamp(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
}
