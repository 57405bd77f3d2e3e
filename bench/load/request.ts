import http from 'node:http';

export type Answer = { status: number; body: string };
export type RequestOptions = { method?: string; headers?: Readonly<Record<string, string>>; body?: unknown };

const TIMEOUT_MS = 10_000;

/** One request on a connection of its own, closed behind it. Rejects when there is no answer within ten seconds. */
export function request(url: string, { method = 'GET', headers = {}, body }: RequestOptions = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const outgoing = http.request(url, { method, headers: { ...type, ...headers }, agent: false, signal }, (incoming) => {
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
