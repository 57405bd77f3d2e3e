import { Readable } from 'node:stream';
import type { MetricReader } from '@opentelemetry/sdk-metrics';
import { NotFoundError, type Route, type RouteContext, route } from '../core/index.ts';
import { renderExposition } from '../core/telemetry/metrics/exposition.ts';
import { isMetricPrefix } from '../core/telemetry/metrics/names.ts';
import { negotiateFormat } from '../core/telemetry/metrics/negotiate-format.ts';
import { CONTENT_TYPES } from '../core/telemetry/metrics/text.ts';
import type { Listener, OperationsAccess } from './access.ts';

/** `/metrics` for Prometheus, all families or those whose name begins with a prefix. */
export function createMetricsRoutes(reader: MetricReader, access: OperationsAccess, listener: Listener): Route[] {
  async function scrape(ctx: RouteContext, prefix: string): Promise<void> {
    access.assertMayScrape(listener, ctx.req.headers.authorization);
    if (prefix !== '' && !isMetricPrefix(prefix)) throw new NotFoundError('No metric can have such a name');
    const { resourceMetrics } = await reader.collect();
    const format = negotiateFormat(ctx.req.headers.accept);
    ctx.set('Cache-Control', 'no-store');
    ctx.vary('Accept');
    ctx.body = Readable.from(renderExposition(resourceMetrics, { format, prefix }));
    ctx.set('Content-Type', CONTENT_TYPES[format]);
  }
  const responses = { 200: { description: 'Metrics as text' } };
  return [
    route({
      method: 'get',
      path: '/metrics',
      summary: 'All metrics',
      quiet: true,
      responses,
      handler: (ctx) => scrape(ctx, ''),
    }),
    route({
      method: 'get',
      path: '/metrics/:prefix',
      summary: 'The metrics whose name begins with a prefix',
      quiet: true,
      responses,
      handler: (ctx) => scrape(ctx, ctx.params?.['prefix'] ?? ''),
    }),
  ];
}
