export { type Environment, isDeployed } from './definition.ts';
export { getSettings, maskSecret, readSettings, resetSettings, type Settings, SettingsError } from './settings.ts';
