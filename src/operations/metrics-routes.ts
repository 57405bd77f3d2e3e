import { Readable } from 'node:stream';
import type { MetricReader } from '@opentelemetry/sdk-metrics';
import {
  BaseDTO,
  NotFoundError,
  type Route,
  type RouteContext,
  route,
  Type,
  UnauthorizedError,
} from '../core/index.ts';
import { renderExposition } from '../core/telemetry/metrics/exposition.ts';
import { isMetricPrefix } from '../core/telemetry/metrics/names.ts';
import { negotiateFormat } from '../core/telemetry/metrics/negotiate-format.ts';
import { CONTENT_TYPES } from '../core/telemetry/metrics/text.ts';
import type { Listener, OperationsAccess } from './access.ts';

type ScrapeContext = Pick<RouteContext, 'req' | 'set' | 'vary' | 'body'>;

/** `/metrics` for Prometheus, all families or those whose name begins with a prefix. */
export function createMetricsRoutes(reader: MetricReader, access: OperationsAccess, listener: Listener): Route[] {
  async function scrape(ctx: ScrapeContext, prefix: string): Promise<void> {
    access.assertMayScrape(listener, ctx.req.headers.authorization);
    if (prefix !== '' && !isMetricPrefix(prefix)) throw new NotFoundError('No metric can have such a name');
    const { resourceMetrics } = await reader.collect();
    const format = negotiateFormat(ctx.req.headers.accept);
    ctx.set('Cache-Control', 'no-store');
    ctx.vary('Accept');
    ctx.body = Readable.from(renderExposition(resourceMetrics, { format, prefix }));
    ctx.set('Content-Type', CONTENT_TYPES[format]);
  }
  const common = {
    method: 'get',
    quiet: true,
    security: [{}, { metricsToken: [] }],
    responses: { 200: { description: 'Metrics as text', content: Object.values(CONTENT_TYPES) } },
    errors: [
      { type: UnauthorizedError, code: 'auth.token_invalid', description: 'METRICS_TOKEN was not sent' },
      { type: NotFoundError, description: 'Metrics are not served here, or no metric can have such a name' },
    ],
  } as const;
  return [
    route({
      ...common,
      path: '/metrics',
      summary: 'All metrics',
      handler: (ctx) => scrape(ctx, ''),
    }),
    route({
      ...common,
      path: '/metrics/:prefix',
      summary: 'The metrics whose name begins with a prefix',
      params: BaseDTO({ prefix: Type.String({ examples: ['app_'] }) }),
      handler: (ctx) => scrape(ctx, ctx.state.input.params.prefix),
    }),
  ];
}
