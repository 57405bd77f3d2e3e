import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startServiceIn } from '../../scripts/started-service.ts';
import { prometheusAt, type Sample, until } from './ask.ts';
import { startPeer } from './peers.ts';
import type { Check } from './report.ts';

const REQUESTS = 20;
const SEEN_WITHIN_MS = 20_000;
const EXPORT_EVERY_MS = '1000';
const ASKED = ['app_requests_total', 'app_request_latency_seconds_count'] as const;

/**
 * A service of its own that nobody scrapes and that sends its metrics by OTLP to VictoriaMetrics: the requests must be
 * there, each in one series, as its own `/metrics` has them. `folder` takes the data of both.
 */
export function otlpMetricsCheck(folder: string, program: string | undefined): Check {
  return {
    name: 'Metrics sent by OTLP are in VictoriaMetrics, once and as /metrics has them',
    needs: ['victoria-metrics'],
    async run() {
      const own = join(folder, 'otlp-metrics');
      mkdirSync(own);
      const peer = await startPeer('victoria-metrics', program ?? '', own, []);
      const service = startServiceIn(own, {
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${peer.url}/opentelemetry/v1/metrics`,
        OTEL_METRIC_EXPORT_INTERVAL: EXPORT_EVERY_MS,
      });
      try {
        const url = `http://127.0.0.1:${(await service.ready).port}`;
        for (let each = 0; each < REQUESTS; each++) await (await fetch(`${url}/`)).arrayBuffer();
        const { query } = prometheusAt(peer.url);
        for (const name of ASKED) {
          const isThere = (samples: Sample[]) => samples.some(({ value }) => value === REQUESTS);
          const samples = await until(`${REQUESTS} in ${name}`, SEEN_WITHIN_MS, async () => {
            const found = await query(`${name}{endpoint="/"}`);
            return isThere(found) ? found : undefined;
          });
          if (samples.length !== 1) throw new Error(`${name} is there ${samples.length} times`);
        }
        const families = await query('count(count by (__name__) ({__name__!=""}))');
        return `${REQUESTS} requests counted and timed, ${families[0]?.value} names of series`;
      } finally {
        await service.stop();
        await peer.stop();
      }
    },
  };
}
