import { type Route, type RouteContext, route } from '../core/index.ts';
import type { LedgerView } from '../core/telemetry/ledger.ts';
import type { Listener, OperationsAccess } from './access.ts';
import type { HealthMonitor } from './health-monitor.ts';
import { HealthView, LivenessView, ReadinessView } from './health-schemas.ts';

/** `/health` for people, `/health/live` and `/health/ready` for orchestrators. */
export function createHealthRoutes(
  health: HealthMonitor,
  ledger: () => LedgerView,
  access: OperationsAccess,
  listener: Listener,
): Route[] {
  const maySeeDetails = (ctx: RouteContext) => access.maySeeDetails(listener, ctx.req.headers.authorization);
  const detailsFor = (ctx: RouteContext) =>
    maySeeDetails(ctx) ? { dependencies: health.dependencies, draining: health.isDraining, faults: health.faults } : {};
  const uncached = { headers: { 'Cache-Control': 'no-store' } };
  // With METRICS_TOKEN it shows the details to who sends it.
  const security = [{}, { metricsToken: [] }];
  return [
    route({
      method: 'get',
      path: '/health',
      summary: 'How the service is',
      quiet: true,
      security,
      responses: { 200: { description: 'How the service is', schema: HealthView } },
      handler(ctx) {
        const telemetry = maySeeDetails(ctx) ? { telemetry: ledger() } : {};
        ctx.respond.success({ status: health.status, ...detailsFor(ctx), ...telemetry }, uncached);
      },
    }),
    route({
      method: 'get',
      path: '/health/live',
      summary: 'Whether the process is alive',
      quiet: true,
      responses: { 200: { description: 'It is', schema: LivenessView } },
      handler: (ctx) => ctx.respond.success({ status: 'ok' }, uncached),
    }),
    route({
      method: 'get',
      path: '/health/ready',
      summary: 'Whether requests should be sent here',
      quiet: true,
      security,
      responses: {
        200: { description: 'They should', schema: ReadinessView },
        503: { description: 'They should not', schema: ReadinessView },
      },
      handler(ctx) {
        const status = health.isReady ? 200 : 503;
        const data = { ready: health.isReady, status: health.status, ...detailsFor(ctx) };
        ctx.respond.success(data, { ...uncached, status });
      },
    }),
  ];
}
