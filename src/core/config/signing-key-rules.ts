import { isDeployed } from './definition.ts';
import type { IsGiven } from './rules.ts';
import type { SettingValues } from './settings-table.ts';

const MIN_BYTES = 32;
const MIN_DIFFERENT_CHARACTERS = 8;
/** Words of manuals, placeholders and keyboards; the last is the key of a much copied tutorial. */
const WELL_KNOWN =
  /change[-_ ]?(me|it|this)|your[-_ ](key|256)|secret|passw(or)?d|example|placeholder|insecure|default|development|signing[-_ ]?key|private[-_ ]?key|keyboard[-_ ]?cat|letmein|qwerty|0123456|1234567|abcdefg|09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7/i;
const MAKE_A_KEY = 'make one with "openssl rand -base64 48"';

const SECRETS = [
  ['ACCESS_TOKEN_SIGNING_KEY', 'accessTokenSigningKey'],
  ['REFRESH_TOKEN_SIGNING_KEY', 'refreshTokenSigningKey'],
  ['ACCESS_TOKEN_SIGNING_KEY_PREVIOUS', 'accessTokenSigningKeyPrevious'],
  ['REFRESH_TOKEN_SIGNING_KEY_PREVIOUS', 'refreshTokenSigningKeyPrevious'],
] as const;

/** What is wrong with the keys that sign tokens. Returns one line a problem, without the key. */
export function findSigningKeyProblems(values: SettingValues, isGiven: IsGiven): string[] {
  const deployed = isDeployed(values.environment);
  const problems = deployed ? findMissing(values, isGiven) : [];
  for (const [name, property] of SECRETS) {
    const key = values[property];
    if (key === undefined) continue;
    if (Buffer.byteLength(key) < MIN_BYTES) {
      problems.push(`${name} is shorter than ${MIN_BYTES} bytes: ${MAKE_A_KEY}`);
    } else if (deployed && isGuessable(key)) {
      problems.push(`${name} is a well-known or guessable value: ${MAKE_A_KEY}`);
    }
  }
  return [...problems, ...findEqual(values)];
}

function findMissing({ jwtAlgorithm }: SettingValues, isGiven: IsGiven): string[] {
  if (jwtAlgorithm === 'HS256') {
    return SECRETS.slice(0, 2)
      .filter(([, property]) => !isGiven(property))
      .map(([name]) => `${name} is missing: ${MAKE_A_KEY}`);
  }
  return isGiven('jwtKeysDir')
    ? []
    : [`JWT_KEYS_DIR is missing: ${jwtAlgorithm} signs with key files; make them with "npm run keys:generate"`];
}

function findEqual(values: SettingValues): string[] {
  const problems: string[] = [];
  for (const [index, [name, property]] of SECRETS.entries()) {
    const key = values[property];
    const [other] = SECRETS.slice(0, index).find(([, earlier]) => key !== undefined && values[earlier] === key) ?? [];
    if (other === undefined) continue;
    const mend = name.startsWith(other) ? 'it is the key before that one; remove it' : 'make a second key';
    problems.push(`${name} must differ from ${other}: ${mend}`);
  }
  return problems;
}

/** A key of chance has none of those words, far more characters than that, and does not repeat itself. */
function isGuessable(key: string): boolean {
  return WELL_KNOWN.test(key) || new Set(key).size < MIN_DIFFERENT_CHARACTERS || /^(.{1,64})\1+$/.test(key);
}
