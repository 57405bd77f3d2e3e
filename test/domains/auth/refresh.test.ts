import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { type Answer, bearer, request, type SignedIn, signIn } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { expectProblem } from '../../support/problem.ts';
import { startTestApp, type TestApp } from '../../support/test-app.ts';

describe('a refresh token', () => {
  let app: TestApp;
  let user: SignedIn;
  before(async () => {
    app = await startTestApp({ SESSION_EXPIRE_DAYS: '3' });
  });
  beforeEach(async () => {
    user = await signIn(app.url);
  });
  after(() => app.stop());

  const refresh = (token: unknown) => app.anyone.post('/api/auth/refresh', { refresh_token: token });
  const tokenOf = ({ body }: Answer): string => body.data.refresh_token;
  const isSignedIn = async (accessToken: string) => {
    const { status } = await request(`${app.url}/api/users/me`, { headers: bearer(accessToken) });
    return status === 200;
  };
  const letPass = (seconds: number) =>
    app.database.query(
      { text: `update sessions set rotated_at = rotated_at - make_interval(secs => $2) where id = $1` },
      [user.sessionId, seconds],
    );
  const signInAgain = async (): Promise<string> => {
    const { email, password } = user;
    return (await app.anyone.post('/api/auth/login', { email, password })).body.data.access_token;
  };
  const events = async (type: string): Promise<number> => {
    const answer = await request(`${app.url}/api/activity?limit=100`, { headers: bearer(await signInAgain()) });
    return answer.body.data.filter((event: { type: string }) => event.type === type).length;
  };

  it('is exchanged for tokens of the same session', async () => {
    const answer = await refresh(user.refreshToken);
    expect(answer.status).to.equal(200);
    expect(answer.body.data).to.include({ token_type: 'Bearer', expires_in: 900, session_id: user.sessionId });
    expect(tokenOf(answer)).to.not.equal(user.refreshToken);
    expect(decodeJwt(tokenOf(answer)).jti).to.not.equal(decodeJwt(user.refreshToken).jti);
    expect(await isSignedIn(answer.body.data.access_token)).to.equal(true);
    expect((await refresh(tokenOf(answer))).status, 'and so on').to.equal(200);
    await eventually(async () => (await events('auth.refreshed')) === 2);
  });

  it('gives the same successor again when the answer was lost', async () => {
    const first = tokenOf(await refresh(user.refreshToken));
    await letPass(9);
    const again = await refresh(user.refreshToken);
    expect(again.status).to.equal(200);
    expect(tokenOf(again)).to.equal(first);
    expect((await refresh(first)).status).to.equal(200);
    expect(await events('auth.refresh_replayed')).to.equal(0);
  });

  it('ends its session when it comes back more than ten seconds after its use', async () => {
    const first = await refresh(user.refreshToken);
    await letPass(11);
    expectProblem(await refresh(user.refreshToken), 401, 'auth.refresh_replayed');
    expectProblem(await refresh(tokenOf(first)), 401, 'auth.refresh_invalid');
    expect(await isSignedIn(user.accessToken)).to.equal(false);
    expect(await isSignedIn(first.body.data.access_token)).to.equal(false);
    await eventually(async () => (await events('auth.refresh_replayed')) === 1);
  });

  it('ends its session when it comes back after its successor was used', async () => {
    const first = tokenOf(await refresh(user.refreshToken));
    const second = await refresh(first);
    expectProblem(await refresh(user.refreshToken), 401, 'auth.refresh_replayed');
    expectProblem(await refresh(tokenOf(second)), 401, 'auth.refresh_invalid');
    expect(await isSignedIn(second.body.data.access_token)).to.equal(false);
  });

  it('ends only its own session', async () => {
    const other = await signInAgain();
    await refresh(tokenOf(await refresh(user.refreshToken)));
    expectProblem(await refresh(user.refreshToken), 401, 'auth.refresh_replayed');
    expect(await isSignedIn(other)).to.equal(true);
  });

  it('has one successor, whoever asks for it twenty times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(user.refreshToken)));
    expect(answers.map(({ status }) => status)).to.deep.equal(Array(20).fill(200));
    expect(new Set(answers.map(tokenOf)).size).to.equal(1);
    expect((await refresh(tokenOf(answers[0] as Answer))).status).to.equal(200);
  });

  it('is worth nothing when its session is over, however often it was refreshed', async () => {
    const [session] = await app.database.query<{ days: number }>(
      {
        text: 'select extract(epoch from expires_at - created_at)::float8 / 86400 as days from sessions where id = $1',
      },
      [user.sessionId],
    );
    expect(session?.days).to.be.closeTo(3, 0.01);
    const next = tokenOf(await refresh(user.refreshToken));
    const [after] = await app.database.query<{ days: number }>(
      {
        text: 'select extract(epoch from expires_at - created_at)::float8 / 86400 as days from sessions where id = $1',
      },
      [user.sessionId],
    );
    expect(after, 'it is absolute').to.deep.equal(session);
    await app.database.query({ text: 'update sessions set expires_at = now() where id = $1' }, [user.sessionId]);
    expectProblem(await refresh(next), 401, 'auth.refresh_invalid');
  });

  it('is worth nothing when the account is disabled', async () => {
    await app.database.query({ text: 'update users set disabled_at = now() where id = $1' }, [user.id]);
    expectProblem(await refresh(user.refreshToken), 401, 'auth.refresh_invalid');
    expect(await isSignedIn(user.accessToken)).to.equal(false);
  });

  it('carries the roles of now into the access token', async () => {
    await app.database.query({ text: `update users set roles = '{user,admin}' where id = $1` }, [user.id]);
    const { body } = await refresh(user.refreshToken);
    expect(decodeJwt(body.data.access_token)['roles']).to.deep.equal(['user', 'admin']);
  });

  it('is refused when it is none, and ends nothing', async () => {
    for (const token of ['x', 'a.b.c', user.accessToken, "' or 1=1 --", randomUUID(), `${user.refreshToken}x`]) {
      expectProblem(await refresh(token), 401, 'auth.refresh_invalid');
    }
    expect((await refresh(user.refreshToken)).status).to.equal(200);
  });

  for (const token of [null, 1, {}, { $ne: null }, ['a'], '', 'x'.repeat(4097)]) {
    it(`is refused with 422: ${JSON.stringify(token).slice(0, 20)}`, async () =>
      expectProblem(await refresh(token), 422, 'validation.failed'));
  }

  it('is not kept anywhere', async () => {
    await refresh(user.refreshToken);
    const rows = await app.database.query({ text: 'select * from sessions' });
    expect(JSON.stringify(rows)).to.not.match(/eyJ/);
  });
});
