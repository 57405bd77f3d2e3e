/** An account of this run, signed in. */
export type Account = { readonly email: string; readonly password: string; accessToken: string; refreshToken: string };

/** One request of the mix. */
export type Ask = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly token?: string;
  readonly body?: unknown;
  /** Sent as it is instead of `body`. */
  readonly text?: string;
};

const JSON_TYPE = 'application/json';

/** What anybody can ask: a few things that work, and what clients do wrong. */
const ANONYMOUS: readonly Ask[] = [
  { method: 'GET', path: '/' },
  { method: 'GET', path: '/api/users/me' },
  { method: 'GET', path: '/api/nowhere' },
  { method: 'PUT', path: '/api/auth/login' },
  { method: 'POST', path: '/api/auth/register', body: { email: 'no address', password: 'short' } },
  { method: 'POST', path: '/api/auth/login', text: '{"email":' },
  { method: 'GET', path: '/api/activity', token: 'no.token.ofours' },
  { method: 'POST', path: '/api/auth/refresh', body: { refresh_token: 'no.token.ofours' } },
];

/** What somebody does who is signed in. */
function signedIn({ accessToken: token }: Account): Ask[] {
  return [
    { method: 'GET', path: '/api/users/me', token },
    { method: 'GET', path: '/api/activity', token },
    { method: 'GET', path: '/api/users/me', token },
    { method: 'GET', path: '/api/activity?limit=5', token },
    { method: 'GET', path: '/api/auth/sessions', token },
    { method: 'GET', path: '/api/users/me', token },
    { method: 'GET', path: '/api/users/me', token },
    { method: 'GET', path: '/api/activity?cursor=altered', token },
    { method: 'GET', path: '/api/users', token },
    { method: 'DELETE', path: '/api/auth/sessions/3f0d4c1e-6a51-4d53-9b35-0e1f3f2a7c11', token },
  ];
}

/** Signing in with the wrong password; not often, or the account is limited. */
export function wrongPassword({ email }: Account): Ask {
  return { method: 'POST', path: '/api/auth/login', body: { email, password: 'not the password of anybody' } };
}

/** The requests of one round: mostly what works, for each account, and each kind of mistake once. */
export function roundOf(accounts: readonly Account[]): Ask[] {
  return [...accounts.flatMap(signedIn), ...accounts.flatMap(signedIn), ...ANONYMOUS];
}

/** Sends a request, reads the answer whole, and resolves to its status and its `data`. */
export async function send(url: string, { method, path, token, body, text }: Ask) {
  const content = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      'User-Agent': 'okapi-demo-traffic/1',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(content === undefined ? {} : { 'Content-Type': JSON_TYPE }),
    },
    ...(content === undefined ? {} : { body: content }),
  });
  const answered = await answer.text();
  const data = answered === '' ? undefined : (JSON.parse(answered) as { data?: Record<string, string> }).data;
  return { status: answer.status, data };
}
