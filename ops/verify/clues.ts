import { type Exemplar, type LogLine, logsAt, type PrometheusQueries, type Span, traceAt, until } from './ask.ts';
import type { Act } from './incident.ts';

export type Peers = {
  readonly prometheus: PrometheusQueries;
  readonly jaegerUrl: string;
  readonly logsUrl: string;
};

const WITHIN_MS = 20_000;
const LATENCY = 'app_request_latency_seconds_bucket';

/** Follows the way from an alert to its cause, as an SRE would; each step waits a while for what is on its way. */
export function followClues({ prometheus, jaegerUrl, logsUrl }: Peers) {
  return {
    /** Waits until an alert with these labels fires. */
    firing(alertname: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
      const wanted = Object.entries({ alertname, ...labels });
      return until(`${alertname} fires`, WITHIN_MS, async () => {
        const alerts = await prometheus.firing();
        const found = alerts.find((alert) => wanted.every(([label, value]) => alert[label] === value));
        return found && `${alertname}, ${found['severity']}`;
      });
    },
    /** Waits until an alert does not fire any more. */
    silent(alertname: string): Promise<string> {
      return until(`${alertname} ends`, WITHIN_MS, async () => {
        const alerts = await prometheus.firing();
        return alerts.some((alert) => alert['alertname'] === alertname) ? undefined : `${alertname} has ended`;
      });
    },
    /** The slowest of a route's exemplars since the act began: the dot that one would click. */
    exemplar(route: string, { fromMs }: Act): Promise<Exemplar> {
      return until(`an exemplar of ${route}`, WITHIN_MS, async () => {
        const found = await prometheus.exemplars(`${LATENCY}{endpoint="${route}"}`, fromMs);
        return found.filter(({ atMs }) => atMs >= fromMs).sort((a, b) => b.value - a.value)[0];
      });
    },
    spans(traceId: string): Promise<Span[]> {
      return until(`trace ${traceId}`, WITHIN_MS, () => traceAt(jaegerUrl, traceId));
    },
    lines(traceId: string): Promise<LogLine[]> {
      return until(`log lines of ${traceId}`, WITHIN_MS, () => logsAt(logsUrl, traceId));
    },
  };
}

/** The span whose parent is not in the trace. */
export function rootOf(spans: readonly Span[]): Span {
  const ids = new Set(spans.map(({ id }) => id));
  const root = spans.find(({ parentId }) => parentId === undefined || !ids.has(parentId));
  if (root === undefined) throw new Error('the trace has no root');
  return root;
}

/** The root, and the longest of the spans that are SQL statements. */
export function longest(spans: readonly Span[]): { root: Span; statement: Span } {
  const statements = spans.filter(({ tags }) => tags['db.system.name'] === 'postgresql');
  const [statement] = statements.sort((a, b) => b.durationMs - a.durationMs);
  if (statement === undefined) throw new Error('the trace has no span of a SQL statement');
  return { root: rootOf(spans), statement };
}
