import { rereadSettings } from './core/config/index.ts';
import { StartupError } from './core/errors/startup-error.ts';
import { getLogger } from './core/logging/index.ts';
import type { KeyRing, KeyRings, TokenKeys, TokenType } from './core/security/token-keys.ts';
import { DOMAIN_SETTINGS } from './domains/settings.ts';
import { type KeySettings, readSigningKeys } from './signing-keys.ts';

const TYPES: readonly TokenType[] = ['access', 'refresh'];

/**
 * Reads the keys of tokens again, files and secrets, and puts them in place of those in use: what was added is taken
 * from now on, what was removed no longer. Where something is wrong with them, those in use stay, and the log says why.
 */
export function rereadSigningKeys(settings: KeySettings, keys: TokenKeys): void {
  const logger = getLogger('app.process');
  try {
    const fresh = rereadSettings(DOMAIN_SETTINGS);
    const { rings, warnings } = readSigningKeys({
      ...settings,
      accessTokenSigningKey: fresh.accessTokenSigningKey,
      accessTokenSigningKeyPrevious: fresh.accessTokenSigningKeyPrevious,
      refreshTokenSigningKey: fresh.refreshTokenSigningKey,
      refreshTokenSigningKeyPrevious: fresh.refreshTokenSigningKeyPrevious,
    });
    const changes = TYPES.map((type): [TokenType, object] => [type, compare(keys[type], rings[type])]);
    keys.replace(rings);
    for (const warning of warnings) logger.warning(warning);
    logger.info('Read the signing keys again', Object.fromEntries(changes));
  } catch (error) {
    const what = 'The signing keys were not read again, those in use stay';
    if (!(error instanceof StartupError)) logger.exception(what, error);
    else for (const problem of error.message.split('\n')) logger.error(`${what}: ${problem}`);
  }
}

function compare(before: KeyRing, after: KeyRings[TokenType]) {
  const missingIn = (ring: KeyRing, { keys }: KeyRing) =>
    keys.map(({ kid }) => kid).filter((kid) => ring.find(kid) === undefined);
  return {
    signs: after.signingKey(Date.now()).kid,
    checks: after.keys.length,
    added: missingIn(before, after),
    removed: missingIn(after, before),
  };
}
