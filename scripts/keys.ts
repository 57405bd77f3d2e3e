import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { loadSettings, type Settings } from '../src/core/config/index.ts';
import { failToStart, StartupError } from '../src/core/errors/startup-error.ts';
import { type KeyFile, readKeyFolder } from '../src/core/security/key-files.ts';
import { writeNewKeyFile } from '../src/core/security/new-key-file.ts';
import { DOMAIN_SETTINGS } from '../src/domains/settings.ts';
import { keysFolder, signsWith } from '../src/signing-keys.ts';

/*
 * `npm run keys:generate` makes the first key files of JWT_ALGORITHM in JWT_KEYS_DIR, `npm run keys:rotate` adds new
 * ones beside those that are there. A new key signs ten minutes later (`--now`: at once): until then every instance can
 * be told of it, and every cache of the JWK Set has run out.
 */

const LEAD_MS = 10 * 60_000;
const SKEW_SECONDS = 5;
const TYPES = ['access', 'refresh'] as const;

type Type = (typeof TYPES)[number];
type Found = Record<Type, KeyFile[]>;

try {
  const { values, positionals } = parseArgs({ options: { now: { type: 'boolean' } }, allowPositionals: true });
  const [command] = positionals;
  if (command !== 'generate' && command !== 'rotate') throw new StartupError('Say "generate" or "rotate"');
  const settings = loadSettings(DOMAIN_SETTINGS);
  const lines = command === 'generate' ? generate(settings) : rotate(settings, values.now ? 0 : LEAD_MS);
  process.stdout.write(`${lines.join('\n')}\n`);
} catch (error) {
  const isArguments = error instanceof TypeError && 'code' in error;
  failToStart(isArguments ? new StartupError('keys:rotate takes --now, and nothing else') : error);
}

function generate(settings: Settings): string[] {
  const { folder, algorithm, found } = lookAround(settings);
  const missing = TYPES.filter((type) => !found[type].some(signsWith(algorithm)));
  if (missing.length === 0) {
    throw new StartupError(`${folder} has keys for ${algorithm} already: "npm run keys:rotate" adds new ones`);
  }
  const made = missing.map((type) => describe(writeNewKeyFile(join(folder, type), algorithm, Date.now())));
  return [...made, `Start the service with JWT_ALGORITHM=${algorithm} and JWT_KEYS_DIR=${folder}.`];
}

function rotate(settings: Settings, leadMs: number): string[] {
  const { folder, algorithm, found } = lookAround(settings);
  for (const type of TYPES) {
    if (found[type].some(signsWith(algorithm))) continue;
    throw new StartupError(
      `${join(folder, type)} has no private key for ${algorithm} to rotate: begin with "npm run keys:generate"`,
    );
  }
  const signsFrom = Date.now() + leadMs;
  const made = TYPES.map((type) => describe(writeNewKeyFile(join(folder, type), algorithm, signsFrom)));
  const when = leadMs === 0 ? 'Now' : `Before ${utc(signsFrom)}, from when on the new keys sign`;
  const after = lookAround(settings).found;
  return [
    ...made,
    '',
    `1. ${when}: send SIGUSR2 to every instance, or restart it. One that does not know a key refuses its tokens.`,
    '2. When the last tokens that they signed are over, remove the old keys, and send SIGUSR2 again:',
    ...TYPES.flatMap((type) => retirements(after[type], settings[`${type}TokenTtlSeconds`])),
  ];
}

function lookAround(settings: Settings) {
  const { jwtAlgorithm: algorithm } = settings;
  if (algorithm === 'HS256') {
    throw new StartupError(
      'JWT_ALGORITHM is HS256, which has no key files: set it to RS256, ES256 or EdDSA, or rotate the two secrets by …_PREVIOUS',
    );
  }
  const folder = keysFolder(settings);
  const found: Partial<Found> = {};
  for (const type of TYPES) {
    const { files, problems } = readKeyFolder(join(folder, type));
    if (problems.length > 0) throw new StartupError(problems.map((problem) => `JWT_KEYS_DIR: ${problem}`).join('\n'));
    found[type] = files;
  }
  return { folder, algorithm, found: found as Found };
}

/** From when on each old key may go: when its successor signs, and the last token that it signed has expired. */
function retirements(files: readonly KeyFile[], ttlSeconds: number): string[] {
  const signing = files
    .filter(({ key }) => key.signing !== undefined)
    .sort((a, b) => a.key.signsFrom - b.key.signsFrom);
  return signing.flatMap(({ path, key: { algorithm } }, index) => {
    const successor = signing.slice(index + 1).find(({ key }) => key.algorithm === algorithm);
    if (successor === undefined) return [];
    return [`   rm ${shown(path)}   # from ${utc(successor.key.signsFrom + (ttlSeconds + SKEW_SECONDS) * 1000)} on`];
  });
}

function describe({ path, key }: KeyFile): string {
  return `Made ${shown(path)} (kid ${key.kid})`;
}

function shown(path: string): string {
  const near = relative('', path);
  return near.startsWith('..') ? path : near;
}

/** To the full second, and not before the time itself. */
function utc(ms: number): string {
  return new Date(Math.ceil(ms / 1000) * 1000).toISOString().replace('.000', '');
}
