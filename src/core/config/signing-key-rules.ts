import { isDeployed } from './definition.ts';
import type { IsGiven } from './rules.ts';
import type { SettingValues } from './settings-table.ts';

const MIN_BYTES = 32;
const MIN_DIFFERENT_CHARACTERS = 8;
/** Words of manuals, placeholders and keyboards; the last is the key of a much copied tutorial. */
const WELL_KNOWN =
  /change[-_ ]?(me|it|this)|your[-_ ](key|256)|secret|passw(or)?d|example|placeholder|insecure|default|development|signing[-_ ]?key|private[-_ ]?key|keyboard[-_ ]?cat|letmein|qwerty|0123456|1234567|abcdefg|09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7/i;
const MAKE_A_KEY = 'make one with "openssl rand -base64 48"';

/** What is wrong with the keys that sign tokens. Returns one line a problem, without the key. */
export function findSigningKeyProblems(values: SettingValues, isGiven: IsGiven): string[] {
  const { accessTokenSigningKey: access, refreshTokenSigningKey: refresh } = values;
  const deployed = isDeployed(values.environment);
  const problems: string[] = [];
  for (const [name, property] of [
    ['ACCESS_TOKEN_SIGNING_KEY', 'accessTokenSigningKey'],
    ['REFRESH_TOKEN_SIGNING_KEY', 'refreshTokenSigningKey'],
  ] as const) {
    const key = values[property];
    if (key === undefined) {
      if (deployed && !isGiven(property)) problems.push(`${name} is missing: ${MAKE_A_KEY}`);
    } else if (Buffer.byteLength(key) < MIN_BYTES) {
      problems.push(`${name} is shorter than ${MIN_BYTES} bytes: ${MAKE_A_KEY}`);
    } else if (deployed && isGuessable(key)) {
      problems.push(`${name} is a well-known or guessable value: ${MAKE_A_KEY}`);
    }
  }
  if (access !== undefined && access === refresh) {
    problems.push('REFRESH_TOKEN_SIGNING_KEY must differ from ACCESS_TOKEN_SIGNING_KEY: make a second key');
  }
  return problems;
}

/** A key of chance has none of those words, far more characters than that, and does not repeat itself. */
function isGuessable(key: string): boolean {
  return WELL_KNOWN.test(key) || new Set(key).size < MIN_DIFFERENT_CHARACTERS || /^(.{1,64})\1+$/.test(key);
}
