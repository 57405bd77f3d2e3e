import { assertContract } from './contract.ts';

/** An answer with its body read; `body` is parsed when it is JSON. */
export type Answer = { status: number; headers: Headers; text: string; body: Body };
// biome-ignore lint/suspicious/noExplicitAny: an answer may hold anything, and the test says what it expects of it
type Body = any;

export type Credentials = { email: string; password: string };
export type SignedIn = Credentials & { id: string; accessToken: string; refreshToken: string; sessionId: string };

/** Sends one request and reads the answer. Throws when it comes from a service whose route does not declare it so. */
export async function request(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const body = isJson && text !== '' ? JSON.parse(text) : undefined;
  const answer: Answer = { status: response.status, headers: response.headers, text, body };
  assertContract(init.method ?? 'GET', url, answer);
  return answer;
}

/** Sends a JSON body by POST. */
export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return request(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

let accounts = 0;

/** Credentials that no account has yet. */
export function freshCredentials(): Credentials {
  accounts++;
  return { email: `person${accounts}.${process.pid}@example.org`, password: 'correct horse battery' };
}

/** Registers an account and signs in. */
export async function signIn(url: string, credentials = freshCredentials()): Promise<SignedIn> {
  const registered = await post(`${url}/api/auth/register`, credentials);
  if (registered.status !== 201) throw new Error(`Not registered: ${registered.text}`);
  const { data } = (await post(`${url}/api/auth/login`, credentials)).body;
  return {
    ...credentials,
    id: registered.body.data.id,
    accessToken: data.access_token,
    refreshToken: data.refresh_token,
    sessionId: data.session_id,
  };
}

/** The headers of a signed-in caller. */
export function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}
