import { type Route, type RouteContext, route } from '../core/index.ts';
import type { Listener, OperationsAccess } from './access.ts';
import type { HealthMonitor } from './health-monitor.ts';

/** `/health` for people, `/health/live` and `/health/ready` for orchestrators. */
export function createHealthRoutes(health: HealthMonitor, access: OperationsAccess, listener: Listener): Route[] {
  const detailsFor = (ctx: RouteContext) =>
    access.maySeeDetails(listener, ctx.req.headers.authorization)
      ? { dependencies: health.dependencies, draining: health.isDraining, faults: health.faults }
      : {};
  const uncached = { headers: { 'Cache-Control': 'no-store' } };
  const responses = { 200: { description: 'How the service is' }, 503: { description: 'Not ready' } };
  return [
    route({
      method: 'get',
      path: '/health',
      summary: 'How the service is',
      quiet: true,
      responses,
      handler: (ctx) => ctx.respond.success({ status: health.status, ...detailsFor(ctx) }, uncached),
    }),
    route({
      method: 'get',
      path: '/health/live',
      summary: 'Whether the process is alive',
      quiet: true,
      responses,
      handler: (ctx) => ctx.respond.success({ status: 'ok' }, uncached),
    }),
    route({
      method: 'get',
      path: '/health/ready',
      summary: 'Whether requests should be sent here',
      quiet: true,
      responses,
      handler(ctx) {
        const status = health.isReady ? 200 : 503;
        const data = { ready: health.isReady, status: health.status, ...detailsFor(ctx) };
        ctx.respond.success(data, { ...uncached, status });
      },
    }),
  ];
}
