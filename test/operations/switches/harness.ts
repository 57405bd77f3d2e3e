import type { Answer, SignedIn } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import type { Caller, TestApp } from '../../support/test-app.ts';

export type User = Caller & { readonly user: SignedIn };

export const ON = { OPERATIONS_SWITCHES: 'true' };

/** Every switch, as somebody would call it: method, path, body. */
export const SWITCHES = [
  ['get', '/api/operations/log-levels', undefined],
  ['put', '/api/operations/log-levels/app.auth', { level: 'DEBUG', seconds: 60 }],
  ['delete', '/api/operations/log-levels/app.auth', undefined],
  ['get', '/api/operations/sampling-boosts', undefined],
  ['post', '/api/operations/sampling-boosts/routes', { route: '/api/users/me', seconds: 1 }],
  ['post', '/api/operations/sampling-boosts/users', { user_id: '7b84c50e-aabd-45ee-9682-ba0c64f005a7', seconds: 1 }],
  ['post', '/api/operations/profiles/cpu', { seconds: 1 }],
  ['post', '/api/operations/profiles/heap', { seconds: 1 }],
  ['get', '/api/operations/requests', undefined],
  ['get', '/api/operations/settings', undefined],
] as const;

/** A new administrator. */
export async function signInAdmin(app: TestApp): Promise<User> {
  const admin = await app.signIn();
  await app.database.query({ text: `update users set roles = '{user,admin}' where id = $1` }, [admin.user.id]);
  return admin;
}

/** Waits for the activity event that was recorded in the request which was answered so. */
export function eventOf(admin: Caller, answer: Answer): Promise<{ type: string; ip_address: string | null }> {
  const id = answer.headers.get('x-request-id');
  return eventually(async () => {
    const { data } = (await admin.get('/api/activity?limit=100')).body;
    return data.find((event: { request_id: string }) => event.request_id === id);
  });
}
