import http from 'node:http';

export type Answer = { status: number; body: string };
export type RequestOptions = {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
  /** Keeps connections for the next requests. */
  agent?: http.Agent;
};

const TIMEOUT_MS = 10_000;

/**
 * One request, on a connection of its own that is closed behind it unless an agent has others. Rejects when there is no
 * answer within ten seconds.
 */
export function request(url: string, options: RequestOptions = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, agent = false } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const outgoing = http.request(url, { method, headers: { ...type, ...headers }, agent, signal }, (incoming) => {
    let text = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (chunk: string) => {
      text += chunk;
    });
    incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: text }));
    incoming.on('error', reject);
  });
  outgoing.on('error', reject);
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

/** As `request`, of an answer that must be 2xx, parsed. */
export async function requestJson<T>(url: string, options: RequestOptions = {}): Promise<T> {
  const { status, body } = await request(url, options);
  if (status < 200 || status > 299)
    throw new Error(`${options.method ?? 'GET'} ${url} was answered ${status}: ${body}`);
  return JSON.parse(body) as T;
}
