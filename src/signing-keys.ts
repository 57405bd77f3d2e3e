import type { Settings } from './core/config/index.ts';
import { developmentKey } from './core/security/development-keys.ts';

/** The keys of the tokens: as set, or in development made once and kept. Settings refuse missing ones elsewhere. */
export function signingKeys(settings: Settings): { access: string; refresh: string } {
  return {
    access: settings.accessTokenSigningKey ?? developmentKey(settings.dataDir, 'access-token'),
    refresh: settings.refreshTokenSigningKey ?? developmentKey(settings.dataDir, 'refresh-token'),
  };
}
