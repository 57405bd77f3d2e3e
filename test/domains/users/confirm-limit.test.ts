import { expect } from 'chai';
import { bearer, freshCredentials, request, type SignedIn } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { expectProblem } from '../../support/problem.ts';
import { type Caller, startTestApp, type TestApp } from '../../support/test-app.ts';

const WRONG = 'wrong horse battery';
const ALLOWED = 10;

describe('guesses at the current password by whoever has an access token', () => {
  let app: TestApp;
  let ada: Caller & { readonly user: SignedIn };
  before(async () => {
    app = await startTestApp({ TRUST_PROXY: '1' });
    ada = await app.signIn();
  });
  after(() => app.stop());

  let addresses = 0;
  const routes = [
    ['PATCH', '/api/users/me', { email: freshCredentials().email }],
    ['POST', '/api/users/me/password', { new_password: 'another horse battery' }],
    ['DELETE', '/api/users/me', {}],
  ] as const;
  /** At each of the three routes in turn, always from another address. */
  const guess = (token: string, password = WRONG) => {
    const [method, path, rest] = routes[addresses % routes.length] as (typeof routes)[number];
    return request(`${app.url}${path}`, {
      method,
      headers: {
        ...bearer(token),
        'Content-Type': 'application/json',
        'X-Forwarded-For': `198.51.100.${addresses++}`,
      },
      body: JSON.stringify({ ...rest, current_password: password }),
    });
  };

  it('are ten at all routes together, from wherever they come, and then single ones with growing waits', async () => {
    const answers = await Promise.all(Array.from({ length: 45 }, () => guess(ada.user.accessToken)));
    const count = (status: number) => answers.filter((each) => each.status === status).length;
    expect(count(403) + count(429), 'no other answers').to.equal(answers.length);
    // As many more as there were waits of 1, 2, 4 and 8 seconds, on however slow a machine.
    expect(count(403)).to.be.within(ALLOWED, ALLOWED + 4);
    const last = await guess(ada.user.accessToken);
    // By now one may be due again; the next one is not, and is not even looked at.
    const right = last.status === 403 ? await guess(ada.user.accessToken, ada.user.password) : last;
    expectProblem(right, 429, 'rate_limit.exceeded');
    expect(Number(right.headers.get('retry-after'))).to.be.at.least(1);
    expect(right.headers.get('ratelimit-policy')).to.include('"current-password";q=10;w=3600');
  });

  it('do not keep their owner from seeing the account and ending all other sessions', async () => {
    expect((await ada.get('/api/users/me')).status).to.equal(200);
    expect((await ada.delete('/api/auth/sessions')).status).to.equal(204);
    const { email, password } = ada.user;
    expect((await app.anyone.post('/api/auth/login', { email, password })).status).to.equal(200);
  });

  it('are told to their owner: each that was wrong, and that others were refused', async () => {
    const types = await eventually(async () => {
      const { body } = await ada.get('/api/activity?limit=100');
      const found: string[] = body.data.map(({ type }: { type: string }) => type);
      return found.includes('auth.limited') && found;
    });
    expect(types.filter((type) => type === 'auth.refused').length).to.be.at.least(ALLOWED);
    const warning = app.lines().find(({ logger }) => logger === 'app.users.limits');
    expect(warning).to.include({ level: 'WARNING' });
    expect(await app.metric('okapi_rate_limit_refused_total', { limit: 'current-password' })).to.be.above(0);
  });

  it('are no matter of another account, and the right password is no guess', async () => {
    const bob = await app.signIn();
    for (let n = 0; n < ALLOWED + 5; n++) {
      const body = { email: bob.user.email, current_password: bob.user.password };
      expect((await bob.patch('/api/users/me', body)).status).to.equal(200);
    }
    expectProblem(await bob.delete('/api/users/me', { current_password: WRONG }), 403, 'auth.wrong_password');
  });
});
