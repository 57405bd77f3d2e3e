import type { MetricReader } from '@opentelemetry/sdk-metrics';
import Koa from 'koa';
import type { Settings } from './core/config/index.ts';
import { authenticate } from './core/http/authenticate.ts';
import { compose } from './core/http/compose.ts';
import { registerExceptionHandlers } from './core/http/exception-handlers.ts';
import { handleOwnAnswers } from './core/http/handle-request.ts';
import { addMiddlewares } from './core/http/onion.ts';
import { initiateRouters } from './core/http/router.ts';
import type { AccessEntry } from './core/logging/index.ts';
import type { JwtService } from './core/security/tokens.ts';
import type { Domains } from './domains/index.ts';
import { createOperationsAccess, type Listener } from './operations/access.ts';
import type { HealthMonitor } from './operations/health-monitor.ts';
import { createHealthRoutes } from './operations/health-routes.ts';
import { createMetricsRoutes } from './operations/metrics-routes.ts';
import { createRootRoute } from './operations/root-route.ts';

export type ApplicationParts = {
  settings: Settings;
  domains: Domains;
  tokens: JwtService;
  health: HealthMonitor;
  metricReader: MetricReader;
  writeAccess: (entry: AccessEntry) => void;
  /** Whether the event loop has been late for a while. */
  isLoopLate: () => boolean;
};

/** The public application: onion, operations at `/`, domains at `/api`. Opens nothing and reads no environment. */
export function createApplication(parts: ApplicationParts): Koa {
  return assemble(parts, 'public', [createRootRoute(parts.settings)], parts.domains.routes);
}

/** The application on `METRICS_PORT`: metrics and health alone. */
export function createMetricsApplication(parts: ApplicationParts): Koa {
  return assemble(parts, 'metrics', [], []);
}

type Routes = Domains['routes'];

function assemble(parts: ApplicationParts, listener: Listener, root: Routes, api: Routes): Koa {
  const { settings, domains, tokens, health, metricReader, writeAccess, isLoopLate } = parts;
  const app = new Koa({ compose } as object);
  handleOwnAnswers(app);
  const access = createOperationsAccess(settings);
  registerExceptionHandlers(app);
  addMiddlewares(app, { settings, writeAccess, isLoopLate });
  initiateRouters(
    app,
    {
      root: [
        ...root,
        ...createHealthRoutes(health, access, listener),
        ...createMetricsRoutes(metricReader, access, listener),
      ],
      api,
    },
    {
      bodyLimit: settings.bodyLimit,
      authenticate: authenticate({
        decodeAccessToken: (token) => tokens.decodeAccessToken(token),
        sessions: domains.sessions,
      }),
    },
  );
  return app;
}
