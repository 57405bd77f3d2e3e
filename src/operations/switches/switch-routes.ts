import type { ShownSetting } from '../../core/effective-settings.ts';
import type { Running } from '../../core/http/deadline.ts';
import type { Route } from '../../core/index.ts';
import type { LogLevels } from '../../core/logging/index.ts';
import { createLogLevelRoutes } from './log-level-routes.ts';
import { createRequestsRoute } from './requests-route.ts';
import { createSettingsRoute } from './settings-route.ts';
import { createUses, type RecordUse } from './uses.ts';

/** What administrators may look at and change of this process while it runs. */
export type Switches = {
  /** The `service.instance.id` of this process. */
  instance: string;
  record: RecordUse;
  logLevels: LogLevels;
  /** The requests under way. */
  running: Set<Running>;
  requestTimeoutMs: number;
  settings: () => ShownSetting[];
};

/** The run-time switches, below `/api/operations`; only there with `OPERATIONS_SWITCHES`. */
export function createSwitchRoutes(switches: Switches): Route[] {
  const uses = createUses(switches.record, switches.instance);
  return [
    ...createLogLevelRoutes(switches.logLevels, uses),
    createRequestsRoute(switches.running, switches.requestTimeoutMs, uses),
    createSettingsRoute(switches.settings, uses),
  ];
}
