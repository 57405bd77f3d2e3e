import type { MetricReader } from '@opentelemetry/sdk-metrics';
import Koa from 'koa';
import type { Settings } from './core/config/index.ts';
import { authenticate } from './core/http/authenticate.ts';
import { withUserBoosts } from './core/http/boosted-user.ts';
import { compose } from './core/http/compose.ts';
import { registerExceptionHandlers } from './core/http/exception-handlers.ts';
import { handleOwnAnswers } from './core/http/handle-request.ts';
import { addMiddlewares } from './core/http/onion.ts';
import { withDocs } from './core/http/openapi/docs.ts';
import type { Route } from './core/http/route.ts';
import { initiateRouters, mountedRoutes, type Routers } from './core/http/router.ts';
import type { AccessEntry } from './core/logging/index.ts';
import type { RateLimiter } from './core/security/limits/rate-limiter.ts';
import type { JwtService } from './core/security/tokens.ts';
import type { LedgerView } from './core/telemetry/ledger.ts';
import type { Domains } from './domains/compose.ts';
import { createOperationsAccess, type Listener } from './operations/access.ts';
import type { HealthMonitor } from './operations/health-monitor.ts';
import { createHealthRoutes } from './operations/health-routes.ts';
import { createJwksRoute } from './operations/jwks-route.ts';
import { createMetricsRoutes } from './operations/metrics-routes.ts';
import { createRootRoute } from './operations/root-route.ts';
import { createSwitchRoutes, type Switches } from './operations/switches/switch-routes.ts';

export type ApplicationParts = {
  settings: Settings;
  domains: Domains;
  tokens: JwtService;
  health: HealthMonitor;
  metricReader: MetricReader;
  /** What became of telemetry. */
  ledger: () => LedgerView;
  writeAccess: (entry: AccessEntry) => void;
  /** Whether the event loop has been late for a while. */
  isLoopLate: () => boolean;
  limiter: RateLimiter;
  /** Present where `OPERATIONS_SWITCHES` asks for them. */
  switches?: Switches | undefined;
};

/** The public application: onion, operations at `/`, domains at `/api`. Opens nothing and reads no environment. */
export function createApplication(parts: ApplicationParts): Koa {
  return assemble(parts, publicRouters(parts));
}

/** The application on `METRICS_PORT`: metrics and health alone. */
export function createMetricsApplication(parts: ApplicationParts): Koa {
  return assemble(parts, { root: operationsRoutes(parts, 'metrics'), api: [] });
}

type RouterParts = Pick<
  ApplicationParts,
  'settings' | 'domains' | 'tokens' | 'health' | 'metricReader' | 'ledger' | 'switches'
>;

/** All routes of the public application, with those that describe them where `DOCS_ENABLED` says so. */
export function publicRouters(parts: RouterParts): Routers {
  const { settings, domains, tokens, switches } = parts;
  const root = [createRootRoute(settings), createJwksRoute(tokens), ...operationsRoutes(parts, 'public')];
  const api = [...domains.routes];
  const routers = { root, api };
  if (switches !== undefined) api.push(...createSwitchRoutes(switches, () => mountedRoutes(routers)));
  return settings.docsEnabled ? withDocs(routers, settings) : routers;
}

function operationsRoutes({ settings, health, metricReader, ledger }: RouterParts, listener: Listener): Route[] {
  const access = createOperationsAccess(settings);
  return [
    ...createHealthRoutes(health, ledger, access, listener),
    ...createMetricsRoutes(metricReader, access, listener),
  ];
}

function assemble(parts: ApplicationParts, routers: Routers): Koa {
  const { settings, domains, tokens, writeAccess, isLoopLate, limiter, switches } = parts;
  const app = new Koa({ compose } as object);
  handleOwnAnswers(app);
  registerExceptionHandlers(app);
  addMiddlewares(app, { settings, writeAccess, isLoopLate, limiter, ...(switches && { running: switches.running }) });
  const guard = authenticate({
    decodeAccessToken: (token) => tokens.decodeAccessToken(token),
    knownClaims: (token) => tokens.knownClaims(token),
    sessions: domains.sessions,
  });
  initiateRouters(app, routers, {
    bodyLimit: settings.bodyLimit,
    limiter,
    authenticate: switches?.boosts === undefined ? guard : withUserBoosts(guard, switches.boosts),
  });
  return app;
}
