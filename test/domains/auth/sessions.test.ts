import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { createSeenSessions, createSessionStore } from '../../../src/domains/auth/index.ts';
import { bearer, post, request, type SignedIn } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { expectProblem } from '../../support/problem.ts';
import { type Service, startService } from '../../support/service.ts';
import { sharedStores } from '../../support/stores.ts';
import { type Caller, startTestApp, type TestApp } from '../../support/test-app.ts';

const KEYS = { ACCESS_TOKEN_SIGNING_KEY: 'K7'.repeat(20), REFRESH_TOKEN_SIGNING_KEY: 'Q3'.repeat(20) };
const CHROME = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36';

describe('a session', () => {
  let app: TestApp;
  let me: Caller & { readonly user: SignedIn };
  before(async () => {
    app = await startTestApp(KEYS);
  });
  beforeEach(async () => {
    me = await app.signIn();
  });
  after(() => app.stop());

  type Tokens = { access_token: string; refresh_token: string; session_id: string };
  const signInElsewhere = async (headers: Record<string, string> = {}): Promise<Tokens> => {
    const { email, password } = me.user;
    const answer = await request(`${app.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify({ email, password }),
    });
    return answer.body.data;
  };
  const statusOf = async ({ access_token }: Pick<Tokens, 'access_token'>) =>
    (await request(`${app.url}/api/users/me`, { headers: bearer(access_token) })).status;
  const eventTypes = async () => {
    const again = await signInElsewhere();
    const { body } = await request(`${app.url}/api/activity`, { headers: bearer(again.access_token) });
    return body.data.map(({ type }: { type: string }) => type) as string[];
  };
  const seenAt = async (id: string): Promise<Date> => {
    const rows = await app.database.query<{ at: Date }>(
      { text: 'select last_seen_at as at from sessions where id = $1' },
      [id],
    );
    return rows[0]?.at as Date;
  };

  it('is listed with the device it began on, the one in use marked', async () => {
    const other = await signInElsewhere({ 'User-Agent': CHROME, 'X-App-Version': '1.2' });
    const { status, body } = await me.get('/api/auth/sessions');
    expect(status).to.equal(200);
    expect(body.data.map(({ id }: { id: string }) => id)).to.have.members([other.session_id, me.user.sessionId]);
    const listed = Object.fromEntries(body.data.map((session: { id: string }) => [session.id, session]));
    expect(listed[me.user.sessionId].current).to.equal(true);
    expect(listed[other.session_id]).to.deep.include({ current: false });
    expect(listed[other.session_id].device).to.include({
      ip_address: '127.0.0.1',
      device_type: 'desktop',
      os: 'macOS',
      browser: 'Chrome',
      app_version: '1.2',
    });
  });

  it('is listed for its own user alone', async () => {
    const stranger = await app.signIn();
    const { body } = await stranger.get('/api/auth/sessions');
    expect(body.data.map(({ id }: { id: string }) => id)).to.deep.equal([stranger.user.sessionId]);
  });

  it('costs one statement a request', async () => {
    const answer = await me.get('/api/users/me');
    const { extra } = await app.lineOf(answer, 'app.http.access');
    expect(extra).to.include({ postgres_statements: 1, mongo_commands: 0 });
  });

  it('ends by signing out, and with it its tokens', async () => {
    const other = await signInElsewhere();
    const answer = await me.post('/api/auth/logout');
    expect(answer.status).to.equal(204);
    expect(answer.text).to.equal('');
    expectProblem(await me.get('/api/users/me'), 401, 'auth.token_invalid');
    expectProblem(await me.post('/api/auth/logout'), 401, 'auth.token_invalid');
    const refreshed = await app.anyone.post('/api/auth/refresh', { refresh_token: me.user.refreshToken });
    expectProblem(refreshed, 401, 'auth.refresh_invalid');
    expect(await statusOf(other), 'others go on').to.equal(200);
    await eventually(async () => (await eventTypes()).includes('auth.signed_out'));
  });

  it('ends by signing out with its refresh token, also from another session of the same user', async () => {
    const [other, third] = [await signInElsewhere(), await signInElsewhere()];
    expect((await me.post('/api/auth/logout', { refresh_token: other.refresh_token })).status).to.equal(204);
    expect(await statusOf(other)).to.equal(401);
    expect(await statusOf(third)).to.equal(200);
    expectProblem(await me.get('/api/users/me'), 401);
  });

  it('cannot be ended by signing out with the refresh token of somebody else, or with what is none', async () => {
    const stranger = await app.signIn();
    const third = await signInElsewhere();
    for (const token of [stranger.user.refreshToken, 'x', third.access_token]) {
      const mine = await signInElsewhere();
      const answer = await request(`${app.url}/api/auth/logout`, {
        method: 'POST',
        headers: { ...bearer(mine.access_token), 'Content-Type': 'application/json' },
        body: JSON.stringify({ refresh_token: token }),
      });
      expect(answer.status).to.equal(204);
    }
    expect((await stranger.get('/api/users/me')).status).to.equal(200);
    expect(await statusOf(third)).to.equal(200);
  });

  it('can be ended by its id', async () => {
    const other = await signInElsewhere();
    expect((await me.delete(`/api/auth/sessions/${other.session_id}`)).status).to.equal(204);
    expect(await statusOf(other)).to.equal(401);
    expectProblem(await me.delete(`/api/auth/sessions/${other.session_id}`), 404, 'http.not_found');
    await eventually(async () => (await eventTypes()).includes('auth.session_revoked'));
  });

  it('of somebody else is not there to be ended', async () => {
    const stranger = await app.signIn();
    const foreign = await me.delete(`/api/auth/sessions/${stranger.user.sessionId}`);
    const unknown = await me.delete(`/api/auth/sessions/${randomUUID()}`);
    expectProblem(foreign, 404, 'http.not_found');
    expect(foreign.body.detail).to.equal(unknown.body.detail);
    expect((await stranger.get('/api/users/me')).status).to.equal(200);
  });

  it('has an id that is a UUID and nothing else', async () => {
    const { sessionId } = me.user;
    for (const id of [
      '1',
      `urn:uuid:${sessionId}`,
      sessionId.toUpperCase(),
      `${sessionId}%00`,
      "'%20or%20''='",
      '%7B%22$ne%22%3Anull%7D',
    ]) {
      expectProblem(await me.delete(`/api/auth/sessions/${id}`), 422, 'validation.failed');
    }
    expect((await me.get('/api/users/me')).status).to.equal(200);
  });

  it('stays when all others are ended', async () => {
    const others = [await signInElsewhere(), await signInElsewhere()];
    expect((await me.delete('/api/auth/sessions')).status).to.equal(204);
    for (const other of others) expect(await statusOf(other)).to.equal(401);
    expect((await me.get('/api/users/me')).status).to.equal(200);
  });

  describe('on two replicas', () => {
    let replica: Service;
    before(async () => {
      const [database] = await app.database.query<{ name: string }>({ text: 'select current_database() as name' });
      const url = new URL(sharedStores().databaseUrl);
      url.pathname = `/${database?.name}`;
      replica = await startService({ env: { ...KEYS, DATABASE_URL: url.href } });
    });
    after(() => replica.stop());

    it('that ended on one has ended on the other', async () => {
      const statusThere = async () =>
        (await request(`${replica.url}/api/users/me`, { headers: bearer(me.user.accessToken) })).status;
      expect(await statusThere()).to.equal(200);
      await me.post('/api/auth/logout');
      expect(await statusThere()).to.equal(401);
    });

    it('has one successor of a refresh token, whoever asks for it twenty times at once', async () => {
      const urls = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? app : replica).url);
      const answers = await Promise.all(
        urls.map((url) => post(`${url}/api/auth/refresh`, { refresh_token: me.user.refreshToken })),
      );
      expect(answers.map(({ status }) => status)).to.deep.equal(Array(20).fill(200));
      expect(new Set(answers.map(({ body }) => body.data.refresh_token)).size).to.equal(1);
    });
  });

  it('was seen last when it was signed in or refreshed', async () => {
    const { sessionId, refreshToken } = me.user;
    await app.database.query({ text: `update sessions set last_seen_at = now() - interval '1 day' where id = $1` }, [
      sessionId,
    ]);
    const before = await seenAt(sessionId);
    await app.anyone.post('/api/auth/refresh', { refresh_token: refreshToken });
    expect((await seenAt(sessionId)).getTime()).to.be.above(before.getTime() + 86_000_000);
  });
  it('was seen last when it was used, which a task writes to the minute', async () => {
    const { id, sessionId } = me.user;
    const now = Date.now() + 3_600_000;
    const seen = createSeenSessions(createSessionStore(app.database), () => now);
    await seen.lookup.findActiveSession(sessionId, id);
    await seen.lookup.findActiveSession(randomUUID(), id);
    const before = await seenAt(sessionId);
    await seen.task.run(new AbortController().signal);
    expect((await seenAt(sessionId)).getTime())
      .to.equal(now)
      .and.above(before.getTime());
    expect(seen.task.intervalMs).to.equal(60_000);
    const late = createSeenSessions(createSessionStore(app.database), () => now - 1000);
    await late.lookup.findActiveSession(sessionId, id);
    await late.drain();
    expect((await seenAt(sessionId)).getTime(), 'it never goes back').to.equal(now);
  });
});
