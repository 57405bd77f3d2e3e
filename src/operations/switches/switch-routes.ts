import type { ShownSetting } from '../../core/effective-settings.ts';
import type { MountedRoute } from '../../core/http/router.ts';
import type { RunningRequests } from '../../core/http/running-requests.ts';
import type { Route } from '../../core/index.ts';
import type { LogLevels } from '../../core/logging/index.ts';
import type { SamplingBoosts } from '../../core/telemetry/sampling-boosts.ts';
import { createLogLevelRoutes } from './log-level-routes.ts';
import { createProfileRoutes } from './profile-routes.ts';
import type { Profiler } from './profiler.ts';
import { createRequestsRoute } from './requests-route.ts';
import { createSamplingRoutes } from './sampling-routes.ts';
import { createSettingsRoute } from './settings-route.ts';
import { createUses, type RecordUse } from './uses.ts';

/** What administrators may look at and change of this process while it runs. */
export type Switches = {
  /** The `service.instance.id` of this process. */
  instance: string;
  record: RecordUse;
  logLevels: LogLevels;
  /** Absent where there is no tracing. */
  boosts: SamplingBoosts | undefined;
  profiler: Profiler;
  /** The requests under way. */
  running: RunningRequests;
  settings: () => ShownSetting[];
};

/** The run-time switches, below `/api/operations`; `mounted` is asked later, when all routes are there. */
export function createSwitchRoutes(switches: Switches, mounted: () => MountedRoute[]): Route[] {
  const { boosts } = switches;
  const uses = createUses(switches.record, switches.instance);
  return [
    ...createLogLevelRoutes(switches.logLevels, uses),
    ...(boosts === undefined ? [] : createSamplingRoutes(boosts, mounted, uses)),
    ...createProfileRoutes(switches.profiler, uses),
    createRequestsRoute(switches.running, uses),
    createSettingsRoute(switches.settings, uses),
  ];
}
