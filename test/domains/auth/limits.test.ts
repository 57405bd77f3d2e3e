import { expect } from 'chai';
import { bearer, type Credentials, freshCredentials, post, request, signIn } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { expectProblem } from '../../support/problem.ts';
import { startTestApp, type TestApp } from '../../support/test-app.ts';

const WRONG = 'wrong horse battery';

/** The limits as they are unless somebody changes them; one proxy in front, which tells where requests come from. */
const DEFAULTS = {
  TRUST_PROXY: '1',
  RATE_LIMIT_LOGIN_ACCOUNT: '5',
  RATE_LIMIT_LOGIN_ADDRESS: '30',
  RATE_LIMIT_REGISTER: '10',
};

describe('the limits of signing in, registering and forgotten passwords', () => {
  let app: TestApp;
  before(async () => {
    app = await startTestApp(DEFAULTS);
  });
  after(() => app.stop());

  let addresses = 0;
  /** An address that nobody has used yet. */
  const fresh = () => {
    addresses++;
    return `198.51.${addresses >> 8}.${addresses & 255}`;
  };
  const send = (path: string, credentials: Credentials, address: string) =>
    post(`${app.url}/api/auth/${path}`, credentials, { 'X-Forwarded-For': address });
  const login = (credentials: Credentials, address: string, password = credentials.password) =>
    send('login', { email: credentials.email, password }, address);
  const register = async (address = fresh()): Promise<Credentials> => {
    const credentials = freshCredentials();
    expect((await send('register', credentials, address)).status).to.equal(201);
    return credentials;
  };
  const activityOf = async (accessToken: string): Promise<string[]> => {
    const { body } = await request(`${app.url}/api/activity`, { headers: bearer(accessToken) });
    return body.data.map(({ type }: { type: string }) => type);
  };

  it('let one address try an account five times in a minute, and tell a developer which setting raises that', async () => {
    const ada = await register();
    const here = fresh();
    for (let n = 0; n < 5; n++) expectProblem(await login(ada, here, WRONG), 401, 'auth.invalid_credentials');
    const refused = await login(ada, here);
    expectProblem(refused, 429, 'rate_limit.exceeded');
    expect(refused.body.detail).to.include('RATE_LIMIT_LOGIN_ACCOUNT');
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    expect(refused.headers.get('ratelimit')).to.match(/"login-address";r=24;t=\d+, "login";r=0;t=\d+$/);
    expect(refused.headers.get('ratelimit-policy')).to.match(/"login-address";q=30;w=60, "login";q=5;w=60$/);
    expect((await login(ada, fresh())).status, 'from elsewhere').to.equal(200);
    expect(await app.metric('okapi_rate_limit_refused_total', { limit: 'login' })).to.be.above(0);
  });

  it('let mail be asked for five times in an hour, by an account and by an address', async () => {
    const ask = (email: string, address: string) =>
      post(`${app.url}/api/auth/password/forgot`, { email }, { 'X-Forwarded-For': address });
    const { email } = freshCredentials();
    for (let n = 0; n < 5; n++) expect((await ask(email, fresh())).status).to.equal(202);
    expectProblem(await ask(email.toUpperCase(), fresh()), 429, 'rate_limit.exceeded');
    const here = fresh();
    for (let n = 0; n < 5; n++) expect((await ask(freshCredentials().email, here)).status).to.equal(202);
    expectProblem(await ask(freshCredentials().email, here), 429, 'rate_limit.exceeded');
  });

  it('are the same for an address that has no account, so that nobody learns which has one', async () => {
    const nobody = freshCredentials();
    const here = fresh();
    for (let n = 0; n < 5; n++) expectProblem(await login(nobody, here), 401, 'auth.invalid_credentials');
    expectProblem(await login(nobody, here), 429, 'rate_limit.exceeded');
  });

  it('take other spellings of an address for the account that it is', async () => {
    const { email, password } = await register();
    const here = fresh();
    const spellings = [email, email.toUpperCase(), email.replace('p', 'P'), email, email.toUpperCase(), email];
    const statuses = [];
    for (const spelling of spellings) statuses.push((await login({ email: spelling, password }, here, WRONG)).status);
    expect(statuses).to.deep.equal([401, 401, 401, 401, 401, 429]);
  });

  it('let one address try thirty times in a minute, whichever accounts, and read no body after that', async () => {
    const here = fresh();
    await Promise.all(Array.from({ length: 30 }, () => login(freshCredentials(), here)));
    const headers = { 'Content-Type': 'application/json', 'X-Forwarded-For': here };
    const refused = await request(`${app.url}/api/auth/login`, { method: 'POST', headers, body: 'no JSON' });
    expectProblem(refused, 429, 'rate_limit.exceeded');
    expect(refused.body.detail).to.include('RATE_LIMIT_LOGIN_ADDRESS');
  });

  it('let one address register ten times in an hour', async () => {
    const here = fresh();
    for (let n = 0; n < 10; n++) await register(here);
    const refused = await send('register', freshCredentials(), here);
    expectProblem(refused, 429, 'rate_limit.exceeded');
    expect(refused.headers.get('ratelimit-policy')).to.match(/"register";q=10;w=3600$/);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 3600);
  });

  it('tell a user, among what happened to the account, that sign-ins were refused', async () => {
    const ada = await register();
    const here = fresh();
    for (let n = 0; n < 6; n++) await login(ada, here, WRONG);
    const { access_token } = (await login(ada, fresh())).body.data;
    const types = await eventually(async () => {
      const found = await activityOf(access_token);
      return found.includes('auth.limited') && found;
    });
    expect(types).to.include('auth.refused');
    expect(types.filter((type) => type === 'auth.limited')).to.have.length(1);
  });

  it('let a thousand addresses guess at one account some fifty times, and do not lock out who is signed in', async () => {
    const ada = await register();
    const home = '2001:db8:7:7::1';
    expect((await login(ada, home)).status).to.equal(200);
    const guesses: number[] = [];
    const guess = async () => {
      while (guesses.length < 1000) {
        const at = guesses.push(0) - 1;
        guesses[at] = (await login(ada, fresh(), WRONG)).status;
      }
    };
    await Promise.all(Array.from({ length: 25 }, guess));
    const count = (status: number) => guesses.filter((each) => each === status).length;
    expect(count(401) + count(429), 'no other answers').to.equal(guesses.length);
    expect(count(401)).to.be.within(50, 62);

    const refused = await login(ada, fresh(), WRONG);
    // By now a guess may be due again; the next one is not.
    const next = refused.status === 401 ? await login(ada, fresh(), WRONG) : refused;
    expectProblem(next, 429, 'rate_limit.exceeded');
    expect(next.headers.get('ratelimit-policy')).to.include('"login-account";q=50;w=3600');
    expect((await login(ada, '2001:db8:7:7:ffff::2')).status, 'where she is signed in').to.equal(200);
  });

  it('count no sign-in that went well as a failure', async () => {
    const ada = await signIn(app.url);
    const statuses = new Set<number>();
    for (let n = 0; n < 60; n++) statuses.add((await login(ada, fresh())).status);
    expect([...statuses]).to.deep.equal([200]);
  });
});
