import { expect } from 'chai';
import { bearer } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { expectProblem } from '../../support/problem.ts';
import { startTestApp, type TestApp } from '../../support/test-app.ts';
import { eventOf, ON, signInAdmin, type User } from './harness.ts';

const PROFILES = '/api/operations/profiles';

/** One that lasts a minute unless something ends it. */
function begin(app: TestApp, admin: User, signal?: AbortSignal): Promise<Response> {
  return fetch(`${app.url}${PROFILES}/cpu`, {
    method: 'POST',
    headers: { ...bearer(admin.user.accessToken), 'Content-Type': 'application/json' },
    body: JSON.stringify({ seconds: 60 }),
    ...(signal && { signal }),
  });
}

async function isRunning(admin: User): Promise<boolean> {
  const { data } = (await admin.get('/api/operations/requests')).body;
  return data.some(({ route }: { route: string | null }) => route === `${PROFILES}/cpu`);
}

describe('a profile', () => {
  let app: TestApp;
  let admin: User;
  before(async () => {
    app = await startTestApp({ ...ON, REQUEST_TIMEOUT_MS: '2500' });
    admin = await signInAdmin(app);
  });
  after(() => app.stop());

  it('of the CPU may last longer than REQUEST_TIMEOUT_MS, and is a file that names its process', async () => {
    const answer = await admin.post(`${PROFILES}/cpu`, { seconds: 3 });
    expect(answer.status).to.equal(200);
    const instance = answer.headers.get('okapi-instance');
    expect(answer.headers.get('content-disposition')).to.match(
      new RegExp(`^attachment; filename="okapi-${instance}-\\d{8}T\\d{6}Z\\.cpuprofile"$`),
    );
    const { nodes, samples, timeDeltas, startTime, endTime } = answer.body;
    expect(endTime - startTime).to.be.at.least(2_900_000);
    expect(samples.length).to.equal(timeDeltas.length).and.be.above(0);
    expect(nodes[0].callFrame.functionName).to.equal('(root)');
    expect(await eventOf(admin, answer)).to.include({ type: 'operations.profile_taken' });
    expect((await app.lineOf(answer, 'app.operations.switches')).extra).to.include({ kind: 'cpu', seconds: 3 });
  });

  it('of the heap shows who allocated', async () => {
    const answer = await admin.post(`${PROFILES}/heap`, { seconds: 1 });
    expect(answer.headers.get('content-disposition')).to.match(/\.heapprofile"$/);
    expect(answer.body.head.callFrame.functionName).to.equal('(root)');
    expect(answer.body.samples).to.be.an('array');
  });

  it('is one at a time, and ends when its client hangs up', async () => {
    const client = new AbortController();
    const first = begin(app, admin, client.signal).catch(() => undefined);
    await eventually(() => isRunning(admin));
    for (const kind of ['cpu', 'heap']) {
      const second = await admin.post(`${PROFILES}/${kind}`, { seconds: 1 });
      expectProblem(second, 409, 'operations.profile_running');
      expect(second.body.meta.process.instance).to.be.a('string');
    }
    client.abort();
    await first;
    await eventually(async () => !(await isRunning(admin)));
    expect((await admin.post(`${PROFILES}/cpu`, { seconds: 1 })).status).to.equal(200);
    expect(
      app
        .lines()
        .filter(({ level }) => level === 'ERROR')
        .slice(0, 3)
        .map((l) => JSON.stringify(l)),
    ).to.deep.equal([]);
  });

  it('lasts a minute at most', async () => {
    for (const body of [{ seconds: 61 }, { seconds: 0 }, { seconds: 1.5 }, {}]) {
      expectProblem(await admin.post(`${PROFILES}/cpu`, body), 422, 'validation.failed');
    }
  });

  describe('while the service stops', () => {
    it('ends with what there is by then, and holds up nothing', async () => {
      const other = await startTestApp(ON);
      const user = await signInAdmin(other);
      const first = begin(other, user);
      await eventually(() => isRunning(user));
      const ended = other.stop();
      const answer = await first;
      expect(answer.status).to.equal(200);
      const { startTime, endTime } = (await answer.json()) as { startTime: number; endTime: number };
      expect(endTime - startTime).to.be.below(60_000_000);
      await ended;
      const messages = other.lines().map(({ message }) => message);
      expect(messages.at(-1)).to.equal('Stopped');
      expect(messages.filter((message) => /left behind/.test(message))).to.deep.equal([]);
    });
  });
});
