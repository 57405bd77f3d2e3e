import { setTimeout as delay } from 'node:timers/promises';

export type Sample = { readonly metric: Readonly<Record<string, string>>; readonly value: number };
export type Exemplar = { readonly traceId: string; readonly value: number; readonly atMs: number };
export type Span = {
  readonly id: string;
  readonly name: string;
  readonly parentId: string | undefined;
  readonly durationMs: number;
  readonly tags: Readonly<Record<string, unknown>>;
};
export type LogLine = Readonly<Record<string, string>>;

const ASK_EVERY_MS = 250;

async function ask<T>(url: string): Promise<T> {
  const answer = await fetch(url);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${new URL(url).pathname}: ${answer.status} ${text.slice(0, 200)}`);
  return JSON.parse(text) as T;
}

/** Asks until there is an answer. Rejects with `what` when there is none within `withinMs`. */
export async function until<T>(what: string, withinMs: number, find: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + withinMs;
  let last = '';
  do {
    const found = await find().catch((error: Error) => {
      last = `: ${error.message}`;
      return undefined;
    });
    if (found !== undefined) return found;
    await delay(ASK_EVERY_MS);
  } while (performance.now() < deadline);
  throw new Error(`${what}: not within ${withinMs / 1000} s${last}`);
}

export type PrometheusQueries = ReturnType<typeof prometheusAt>;

/** The query API of Prometheus. */
export function prometheusAt(url: string) {
  return {
    async query(expression: string): Promise<Sample[]> {
      type Answer = { data: { result: { metric: Record<string, string>; value: [number, string] }[] } };
      const { data } = await ask<Answer>(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
      return data.result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
    },
    /** The labels of the alerts that fire now. */
    async firing(): Promise<Record<string, string>[]> {
      type Answer = { data: { alerts: { state: string; labels: Record<string, string> }[] } };
      const { data } = await ask<Answer>(`${url}/api/v1/alerts`);
      return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
    },
    async exemplars(query: string, fromMs: number): Promise<Exemplar[]> {
      type Found = { labels: { trace_id: string }; value: string; timestamp: number };
      const range = `start=${fromMs / 1000}&end=${Date.now() / 1000 + 1}`;
      const { data } = await ask<{ data: { exemplars: Found[] }[] }>(
        `${url}/api/v1/query_exemplars?query=${encodeURIComponent(query)}&${range}`,
      );
      return data
        .flatMap(({ exemplars }) => exemplars)
        .map(({ labels, value, timestamp }) => ({
          traceId: labels.trace_id,
          value: Number(value),
          atMs: timestamp * 1000,
        }));
    },
  };
}

/** The spans of a trace by the query API of Jaeger; `undefined` where it has none of it. */
export async function traceAt(url: string, traceId: string): Promise<Span[] | undefined> {
  type Tag = { key: string; value: unknown };
  type Found = {
    spanID: string;
    operationName: string;
    duration: number;
    tags: Tag[];
    references: { spanID: string }[];
  };
  const { data } = await ask<{ data: { spans: Found[] }[] }>(`${url}/api/traces/${traceId}`);
  return data[0]?.spans.map(({ spanID, operationName, duration, tags, references }) => ({
    id: spanID,
    name: operationName,
    parentId: references[0]?.spanID,
    durationMs: duration / 1000,
    tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
  }));
}

/** The log lines of a trace by LogsQL of VictoriaLogs; `undefined` where there is none. */
export async function logsAt(url: string, traceId: string): Promise<LogLine[] | undefined> {
  const answer = await fetch(`${url}/select/logsql/query?query=${encodeURIComponent(`trace_id:="${traceId}"`)}`);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  if (!answer.ok) throw new Error(`VictoriaLogs: ${answer.status} ${lines[0] ?? ''}`);
  return lines.length === 0 ? undefined : lines.map((line) => JSON.parse(line) as LogLine);
}
