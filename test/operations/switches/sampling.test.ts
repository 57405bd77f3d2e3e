import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Answer } from '../../support/client.ts';
import { expectProblem } from '../../support/problem.ts';
import { type Caller, startTestApp, type TestApp } from '../../support/test-app.ts';
import { eventOf, ON, signInAdmin, type User } from './harness.ts';

const BOOSTS = '/api/operations/sampling-boosts';

describe('a sampling boost', () => {
  let app: TestApp;
  let admin: User;
  before(async () => {
    app = await startTestApp({
      ...ON,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
      TRACE_CONTEXT: 'always',
    });
    admin = await signInAdmin(app);
  });
  afterEach(async () => {
    for (const { id } of (await admin.get(BOOSTS)).body.data) await admin.delete(`${BOOSTS}/${id}`);
  });
  after(() => app.stop());

  const isSampled = (answer: Answer) => answer.headers.get('traceresponse')?.endsWith('-01') === true;
  const asks = async (caller: Caller, path: string) => isSampled(await caller.get(path));

  it('of a route has all of its requests traced, and no others', async () => {
    expect(await asks(admin, '/api/users')).to.equal(false);
    const set = await admin.post(`${BOOSTS}/routes`, { route: '/api/users/:id', seconds: 600 });
    expect(set.body.data).to.have.length(1);
    expect(set.body.data[0]).to.include({ route: '/api/users/:id', user_id: null });
    const answer = await admin.get(`/api/users/${admin.user.id}`);
    const span = await app.spanOf(answer);
    expect(span.attributes).to.include({ 'okapi.sampling.boost': 'route', 'http.route': '/api/users/:id' });
    expect(await asks(admin, '/api/users'), 'another route').to.equal(false);
    expect(await asks(admin, '/api/users/me'), 'a route of its own').to.equal(false);
    expect(await eventOf(admin, set)).to.include({ type: 'operations.sampling_changed' });
  });

  it('of a user has all of their requests traced from where they are known', async () => {
    const [user, other] = [await app.signIn(), await app.signIn()];
    const set = await admin.post(`${BOOSTS}/users`, { user_id: user.user.id, seconds: 600 });
    expect(set.body.data[0]).to.include({ route: null, user_id: user.user.id });
    const span = await app.spanOf(await user.get('/api/auth/sessions'));
    expect(span.attributes).to.include({ 'okapi.sampling.boost': 'user', 'enduser.id': user.user.id });
    expect(span.name).to.equal('GET /api/auth/sessions');
    expect(await asks(other, '/api/auth/sessions')).to.equal(false);
    expect(await asks(app.anyone, '/api/auth/sessions')).to.equal(false);
  });

  it('leaves a trace that is continued as its caller decided', async () => {
    const { id: user_id, accessToken } = admin.user;
    await admin.post(`${BOOSTS}/routes`, { route: '/api/users/me', seconds: 600 });
    await admin.post(`${BOOSTS}/users`, { user_id, seconds: 600 });
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
    const headers = { traceparent, Authorization: `Bearer ${accessToken}` };
    const answer = await fetch(`${app.url}/api/users/me`, { headers });
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('traceresponse')).to.match(/^00-4bf92f3577b34da6a3ce929d0e0e4736-.*-00$/);
    expect(await asks(admin, '/api/users/me')).to.equal(true);
  });

  it('is listed, and can be ended before its time', async () => {
    const set = await admin.post(`${BOOSTS}/routes`, { route: '/api/users/me', seconds: 600 });
    expect((await admin.get(BOOSTS)).body.data).to.deep.equal(set.body.data);
    const ended = await admin.delete(`${BOOSTS}/${set.body.data[0].id}`);
    expect(ended.body.data).to.deep.equal([]);
    expect(await asks(admin, '/api/users/me')).to.equal(false);
    expectProblem(await admin.delete(`${BOOSTS}/${randomUUID()}`), 404, 'http.not_found');
  });

  it('is for a route that there is and that is traced, and for an hour at most', async () => {
    for (const route of ['/api/nowhere', '/api/users/7', '/health', '']) {
      const answer = await admin.post(`${BOOSTS}/routes`, { route, seconds: 60 });
      expectProblem(answer, 422, 'validation.failed');
      const [{ field, allowed }] = answer.body.errors;
      expect(field).to.equal('/body/route');
      expect(allowed).to.include('/api/users/:id').and.not.include('/health');
    }
    for (const [path, body] of [
      [`${BOOSTS}/routes`, { route: '/api/users/me', seconds: 3601 }],
      [`${BOOSTS}/users`, { user_id: 'ada', seconds: 60 }],
      [`${BOOSTS}/users`, { user_id: admin.user.id }],
    ] as const) {
      expectProblem(await admin.post(path, body), 422, 'validation.failed');
    }
    expect((await admin.get(BOOSTS)).body.data).to.deep.equal([]);
  });
});
