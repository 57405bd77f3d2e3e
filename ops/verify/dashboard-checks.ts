import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { dashboardExpressions, type Expression, ROOT, readDashboards } from '../names/expressions.ts';
import { type PrometheusQueries, until } from './ask.ts';
import type { Check } from './report.ts';

const TRAFFIC = ['--seconds', '10', '--rate', '20'];
const SCRAPED_WITHIN_MS = 10_000;

/** The checks of what is shown, once the service has seen something. */
export function dashboardChecks(url: string, prometheus: PrometheusQueries): Check[] {
  return [
    {
      name: 'Every query of the dashboards has a sample after npm run demo:traffic',
      needs: ['prometheus'],
      async run() {
        const traffic = spawn(process.execPath, [join(ROOT, 'ops/demo/traffic.ts'), ...TRAFFIC, '--url', url]);
        await once(traffic, 'exit');
        const expressions = [...readDashboards()].flatMap(([file, board]) => dashboardExpressions(file, board));
        await until('each query has a sample', SCRAPED_WITHIN_MS, async () => {
          const empty = await withoutSample(expressions, prometheus);
          if (empty.length > 0) throw new Error(empty.join('; '));
          return true;
        });
        return `${expressions.length} queries`;
      },
    },
    {
      name: 'What is scraped is not counted a second time by OTLP',
      needs: ['prometheus', 'otelcol'],
      async run() {
        const [received] = await prometheus.query('sum(otelcol_receiver_accepted_metric_points_total)');
        const jobs = await prometheus.query(
          'count by (job) ({__name__=~"app_requests.*|http_server_request_duration.*"})',
        );
        const names = jobs.map(({ metric }) => metric['job']);
        if (!((received?.value ?? 0) > 0)) throw new Error('the collector got no metrics, so this says nothing');
        if (names.join() !== 'okapi') throw new Error(`series come from ${names.join(', ')}`);
        return `the collector got ${received?.value} points, and the series come from ${names.join()}`;
      },
    },
  ];
}

async function withoutSample(expressions: readonly Expression[], { query }: PrometheusQueries): Promise<string[]> {
  const empty: string[] = [];
  for (const { where, text } of expressions) {
    const samples = await query(filledIn(text));
    if (!samples.some(({ value }) => !Number.isNaN(value))) empty.push(where);
  }
  // An annotation is there for what happens seldom: a start.
  return empty.filter((where) => !where.endsWith(': Starts'));
}

/** As Grafana would ask with everything selected. */
function filledIn(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '30s')
    .replaceAll('"$endpoint"', '"/api/users/me"')
    .replaceAll(/"\$\w+"/g, '".*"');
}
