import { listAllSettings, type Settings } from './core/config/index.ts';
import { showSettings } from './core/effective-settings.ts';
import { RunningRequests } from './core/http/running-requests.ts';
import { logLevels } from './core/logging/index.ts';
import type { Telemetry } from './core/telemetry/sdk.ts';
import type { Database } from './db/postgres/database.ts';
import { recordActivity } from './domains/activity/index.ts';
import { DOMAIN_SETTINGS } from './domains/settings.ts';
import { Profiler } from './operations/switches/profiler.ts';
import type { Switches } from './operations/switches/switch-routes.ts';

/** The run-time switches of this process; `undefined` unless `OPERATIONS_SWITCHES` asks for them. */
export function createSwitches(
  settings: Settings,
  database: Pick<Database, 'query'>,
  { service, boosts }: Pick<Telemetry, 'service' | 'boosts'>,
): Switches | undefined {
  if (!settings.operationsSwitches) return undefined;
  return {
    instance: service.instance,
    record: (use) => recordActivity(database, use),
    logLevels,
    boosts,
    profiler: new Profiler(),
    running: new RunningRequests(),
    settings: () => showSettings(settings, listAllSettings(DOMAIN_SETTINGS)),
  };
}
