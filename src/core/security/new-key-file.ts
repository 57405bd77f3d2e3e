import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KeyFile, timeStamp } from './key-files.ts';
import { keyPair, type TokenAlgorithm } from './token-key.ts';

/** The algorithms whose keys stand in files. */
export type FileAlgorithm = Exclude<TokenAlgorithm, 'HS256'>;

/** NIST SP 800-57 part 1 r5: 3072 bits are as strong as P-256 and Ed25519. */
const RSA_BITS = 3072;

/** A new private key as PKCS#8 PEM. */
export function newKeyPem(algorithm: FileAlgorithm): string {
  return pemOf(newKey(algorithm));
}

/**
 * Makes a key and writes it to `folder` with mode 0600, under a name that says from when on it signs: that time in
 * milliseconds since the epoch, its algorithm, and the beginning of its id. A reader sees it whole or not at all.
 */
export function writeNewKeyFile(folder: string, algorithm: FileAlgorithm, signsFromMs: number): KeyFile {
  const signsFrom = Math.floor(signsFromMs / 1000) * 1000;
  const privateKey = newKey(algorithm);
  const key = keyPair(privateKey, signsFrom);
  const path = join(folder, `${timeStamp(signsFrom)}-${algorithm}-${key.kid.slice(0, 8)}.pem`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.draft`;
  writeFileSync(draft, pemOf(privateKey), { mode: 0o600, flag: 'wx', flush: true });
  renameSync(draft, path);
  return { path, key };
}

function pemOf(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }) as string;
}

function newKey(algorithm: FileAlgorithm): KeyObject {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519').privateKey;
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  return generateKeyPairSync('rsa', { modulusLength: RSA_BITS }).privateKey;
}
