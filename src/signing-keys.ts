import { join } from 'node:path';
import { isDeployed, type Settings } from './core/config/index.ts';
import { StartupError } from './core/errors/startup-error.ts';
import { developmentKey, makeDevelopmentKeyFile } from './core/security/development-keys.ts';
import { type KeyFile, readKeyFolder } from './core/security/key-files.ts';
import { secretKey, type TokenAlgorithm, type TokenKey } from './core/security/token-key.ts';
import { KeyRing, type KeyRings, type TokenType } from './core/security/token-keys.ts';

/** What the keys hang on. */
export type KeySettings = Pick<
  Settings,
  | 'environment'
  | 'dataDir'
  | 'jwtAlgorithm'
  | 'jwtKeysDir'
  | 'accessTokenSigningKey'
  | 'accessTokenSigningKeyPrevious'
  | 'refreshTokenSigningKey'
  | 'refreshTokenSigningKeyPrevious'
>;

export type SigningKeys = { rings: KeyRings; warnings: readonly string[] };

type Collected = { keys: TokenKey[]; files: KeyFile[]; problems: string[]; warnings: string[] };

/**
 * The keys of the tokens: as set, or in development made once and kept. `JWT_ALGORITHM` says what signs; whatever else
 * is configured checks. Throws `StartupError` with a line for each file that cannot be used, and for a key that lacks.
 */
export function readSigningKeys(settings: KeySettings): SigningKeys {
  const access = collect(settings, 'access');
  const refresh = collect(settings, 'refresh');
  const problems = [...access.problems, ...refresh.problems, ...findShared(access.files, refresh.files)];
  for (const [type, { keys }] of [['access', access] as const, ['refresh', refresh] as const]) {
    if (problems.length > 0 || keys.some((key) => signsWith(settings.jwtAlgorithm)({ key }))) continue;
    const folder = join(keysFolder(settings), type);
    problems.push(
      `${folder} has no private key for ${settings.jwtAlgorithm}: make one with "npm run keys:generate" under this JWT_ALGORITHM`,
    );
  }
  if (problems.length > 0) throw new StartupError(problems.map((problem) => `JWT_KEYS_DIR: ${problem}`).join('\n'));
  const ring = ({ keys }: Collected) => new KeyRing(settings.jwtAlgorithm, keys);
  return {
    rings: { access: ring(access), refresh: ring(refresh) },
    warnings: [...access.warnings, ...refresh.warnings],
  };
}

/** The folder of the key files: the one that is set, else the one of development. */
export function keysFolder({ jwtKeysDir, dataDir }: Pick<Settings, 'jwtKeysDir' | 'dataDir'>): string {
  return jwtKeysDir ?? join(dataDir, 'keys', 'jwt');
}

function collect(settings: KeySettings, type: TokenType): Collected {
  const { jwtAlgorithm, jwtKeysDir, environment } = settings;
  const isSecret = jwtAlgorithm === 'HS256';
  const folder = join(keysFolder(settings), type);
  const read = () =>
    isSecret && jwtKeysDir === undefined ? { files: [], problems: [], warnings: [] } : readKeyFolder(folder);
  let found = read();
  if (!isSecret && jwtKeysDir === undefined && !isDeployed(environment) && !found.files.some(signsWith(jwtAlgorithm))) {
    inDataDir(settings, () => makeDevelopmentKeyFile(folder, jwtAlgorithm));
    found = read();
  }
  return { ...found, keys: [...found.files.map(({ key }) => key), ...secretsOf(settings, type)] };
}

function secretsOf(settings: KeySettings, type: TokenType): TokenKey[] {
  const previous = settings[`${type}TokenSigningKeyPrevious`];
  let current = settings[`${type}TokenSigningKey`];
  if (current === undefined && settings.jwtAlgorithm === 'HS256') {
    current = inDataDir(settings, () => developmentKey(settings.dataDir, `${type}-token`));
  }
  return [
    ...(current === undefined ? [] : [secretKey(current)]),
    ...(previous === undefined ? [] : [secretKey(previous, { checksOnly: true })]),
  ];
}

/** Whether a key can sign with `algorithm`. */
export function signsWith(algorithm: TokenAlgorithm) {
  return ({ key }: { key: TokenKey }) => key.signing !== undefined && key.algorithm === algorithm;
}

function inDataDir<T>({ dataDir }: KeySettings, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new StartupError(
      `DATA_DIR (${dataDir}) cannot be used (${code}): make it a folder this user can write to, or set DATA_DIR to another`,
    );
  }
}

/** A key of both types would let an access token pass for a refresh token. */
function findShared(access: readonly KeyFile[], refresh: readonly KeyFile[]): string[] {
  return refresh.flatMap(({ path, key: { kid } }) => {
    const same = access.find(({ key }) => key.kid === kid);
    return same === undefined ? [] : [`${path} is the same key as ${same.path}: make another for one of the two`];
  });
}
