/** What is measured: one path of one server. */
export type Subject = { id: string; title: string; server: string; path: '/' | '/api/users/me' };

/** The raw answer that a subject of each path is shown against. */
export const RAW: Readonly<Record<Subject['path'], string>> = { '/': 'raw', '/api/users/me': 'raw-pg' };

export const SUBJECTS: readonly Subject[] = [
  { id: 'raw', title: 'node:http', server: 'raw', path: '/' },
  { id: 'fastify', title: 'Fastify, bare', server: 'fastify', path: '/' },
  { id: 'koa', title: 'Koa, bare', server: 'koa', path: '/' },
  { id: 'watt', title: 'Koa on Platformatic Watt', server: 'watt', path: '/' },
  { id: 'okapi-off', title: 'Okapi, telemetry and logs off', server: 'okapi-off', path: '/' },
  { id: 'okapi', title: 'Okapi, everything on', server: 'okapi', path: '/' },
  { id: 'okapi-logs', title: 'Okapi, console and OTLP logs too', server: 'okapi-logs', path: '/' },
  { id: 'fastify-otel', title: 'Fastify, same telemetry', server: 'fastify-otel', path: '/' },
  { id: 'koa-onion', title: 'Koa, usual parts and NodeSDK', server: 'koa-onion', path: '/' },
  { id: 'raw-pg', title: 'node:http + pg, users/me', server: 'raw-pg', path: '/api/users/me' },
  { id: 'okapi-users', title: 'Okapi, everything on, users/me', server: 'okapi-users', path: '/api/users/me' },
];

/** The subjects with these ids, in the order of the table. Throws when one is unknown. */
export function selectSubjects(ids: readonly string[] | undefined): Subject[] {
  const unknown = ids?.find((id) => !SUBJECTS.some((subject) => subject.id === id));
  if (unknown !== undefined) {
    throw new Error(`There is no subject ${unknown}: choose among ${SUBJECTS.map(({ id }) => id).join(', ')}`);
  }
  return SUBJECTS.filter(({ id }) => ids === undefined || ids.includes(id));
}

/**
 * The servers of subjects, each once. An Okapi with everything on comes first: it says how large the answers of the others
 * are to be. Each subject of Okapi has a process of its own, since what has answered two routes is compiled for both.
 */
export function serversOf(subjects: readonly Subject[]): string[] {
  const servers = new Set(subjects.map(({ server }) => server));
  const asksOkapi = subjects.some(({ path }) => path === '/api/users/me');
  const first = ['okapi', 'okapi-users'].find((id) => servers.has(id)) ?? (asksOkapi ? 'okapi' : undefined);
  return [...new Set([...(first === undefined ? [] : [first]), ...servers])];
}
