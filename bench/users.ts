import { randomBytes } from 'node:crypto';
import { createSessionStore } from '../src/domains/auth/store.ts';
import { request, requestJson } from './load/request.ts';

/** What `GET /api/users/me` asks of PostgreSQL, and what it takes to ask for it. */
export type UsersQuestion = {
  /** In the form that `pg` takes. */
  statement: { name?: string; text: string; values: readonly unknown[] };
  headers: Readonly<Record<string, string>>;
  /** Makes the answer of a peer as long as Okapi's. */
  paddingBytes: number;
};

/** Requests that `askAsUser` makes, all of which Okapi counts. */
export const REQUESTS_TO_SIGN_IN = 3;

/** Registers and signs in a user, and finds out which statement reads this user. */
export async function askAsUser(okapiUrl: string): Promise<UsersQuestion> {
  const id = randomBytes(8).toString('hex');
  const body = { email: `bench-${id}@example.org`, password: randomBytes(16).toString('hex') };
  const post = { method: 'POST', body };
  const user = await requestJson<{ data: { id: string } }>(`${okapiUrl}/api/auth/register`, post);
  const signedIn = await requestJson<{ data: { access_token: string; session_id: string } }>(
    `${okapiUrl}/api/auth/login`,
    post,
  );
  const headers = { Authorization: `Bearer ${signedIn.data.access_token}` };
  const answer = await request(`${okapiUrl}/api/users/me`, { headers });
  const statement = await statementFor(signedIn.data.session_id, user.data.id);
  return { statement, headers, paddingBytes: paddingFor(answer.body) };
}

/** The statement as the domain itself makes it, so that the peer cannot fall behind it. */
async function statementFor(sessionId: string, userId: string): Promise<UsersQuestion['statement']> {
  let asked: UsersQuestion['statement'] | undefined;
  const store = createSessionStore({
    async query(statement: { name?: string; text: string }, values: readonly unknown[] = []) {
      asked = { ...statement, values };
      return [];
    },
  });
  await store.findActiveSession(sessionId, userId);
  if (asked === undefined) throw new Error('The session store asked nothing');
  return asked;
}

function paddingFor(body: string): number {
  const { data, meta } = JSON.parse(body) as { data: unknown; meta: { timestamp: string } };
  const bare = JSON.stringify({ data, meta: { timestamp: meta.timestamp, success: true, padding: '' } });
  return Math.max(0, Buffer.byteLength(body) - Buffer.byteLength(bare));
}
