import type { DomainSettings } from '../core/config/index.ts';
import { authSettings } from './auth/settings.ts';

/**
 * The settings that domains contribute, one line for each domain that has any. Read before anything else is loaded, so
 * neither this file nor a domain's `settings.ts` may import what loads Koa, pg or mongodb.
 */
export const DOMAIN_SETTINGS: readonly DomainSettings[] = [authSettings];
