import { request } from './load/request.ts';
import { type Candidate, USER_AGENT } from './measure.ts';
import type { MeasuredServer } from './measured-server.ts';
import { type Subject, selectSubjects, serversOf } from './subjects.ts';
import { askAsUser, REQUESTS_TO_SIGN_IN, type UsersQuestion } from './users.ts';
import type { StartOptions, Workbench } from './workbench.ts';

export type Candidates = {
  candidates: readonly Candidate[];
  /** Of the answers, by subject. */
  bodyBytes: Readonly<Record<string, number>>;
};

/** Starts the servers of `subjects`, signs in where a subject asks for it, and takes one answer of each. */
export async function startCandidates(
  bench: Workbench,
  subjects: readonly Subject[],
  notes: string[],
  nodeArgs: readonly string[] = [],
): Promise<Candidates> {
  const running = new Map<string, MeasuredServer>();
  const asksUsers = subjects.some(({ path }) => path === '/api/users/me');
  let users: UsersQuestion | undefined;
  let size: number | undefined;
  const servers = serversOf(subjects);
  for (const id of servers) {
    bench.say(`starting   ${id}`);
    const options = { users, nodeArgs, ...(size === undefined ? {} : { bodyBytes: size }) };
    const server = id === 'watt' ? await startOrSkip(bench, id, options, notes) : await bench.start(id, options);
    if (server === undefined) continue;
    running.set(id, server);
    if (id !== servers[0]) continue;
    size = (await answerOf(server, '/', {})).bytes;
    if (!asksUsers) continue;
    users = await askAsUser(server.running.url);
    server.addSingle(REQUESTS_TO_SIGN_IN);
  }
  const candidates: Candidate[] = [];
  const bodyBytes: Record<string, number> = {};
  for (const subject of subjects) {
    const server = running.get(subject.server);
    if (server === undefined) continue;
    const headers = { 'User-Agent': USER_AGENT, ...(subject.path === '/' ? {} : users?.headers) };
    bodyBytes[subject.id] = (await answerOf(server, subject.path, headers)).bytes;
    candidates.push({ subject, server, headers });
  }
  return { candidates, bodyBytes };
}

/** Starts the server of one Okapi subject alone. */
export async function startOkapi(bench: Workbench, id: string, nodeArgs: readonly string[] = []): Promise<Candidate> {
  const { candidates } = await startCandidates(bench, selectSubjects([id]), [], nodeArgs);
  const [candidate] = candidates;
  if (candidate === undefined) throw new Error('Okapi was not started');
  return candidate;
}

/** Platformatic Watt is large and moves fast: a benchmark without it is still one. */
async function startOrSkip(bench: Workbench, id: string, options: StartOptions, notes: string[]) {
  try {
    return await bench.start(id, options);
  } catch (error) {
    bench.signal.throwIfAborted();
    notes.push(`${id} was left out: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
    return undefined;
  }
}

/** One answer, which must be 200. */
async function answerOf(server: MeasuredServer, path: string, headers: Readonly<Record<string, string>>) {
  const { status, body } = await request(server.running.url + path, { headers });
  if (status !== 200) throw new Error(`${server.id} answered ${status} to GET ${path}: ${body.slice(0, 300)}`);
  server.addSingle(1);
  return { bytes: Buffer.byteLength(body) };
}
