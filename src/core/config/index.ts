/** Settings. The files `settings.ts` of the domains import from here, since it loads nothing that must come later. */

export {
  bytes,
  choice,
  type Environment,
  flag,
  integer,
  isDeployed,
  type ListedSetting,
  list,
  optionalInteger,
  optionalText,
  text,
} from './definition.ts';
export { type DomainSettings, domainSettings } from './domain-settings.ts';
export { maskSecret } from './masking.ts';
export { listAllSettings, readSettings, type Settings, SettingsError } from './read-settings.ts';
export { getSettings, loadSettings, originOfVariable, rereadSettings, resetSettings } from './settings.ts';
export type { Origin } from './sources.ts';
