import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { SignedIn } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { expectProblem } from '../../support/problem.ts';
import { type Caller, startTestApp, type TestApp } from '../../support/test-app.ts';

type User = Caller & { readonly user: SignedIn };

describe('an administrator', () => {
  let app: TestApp;
  let admin: User;
  let other: User;
  before(async () => {
    app = await startTestApp();
  });
  beforeEach(async () => {
    await app.database.query({ text: `update users set roles = '{user}'` });
    [admin, other] = [await makeAdmin(await app.signIn()), await app.signIn()];
  });
  after(() => app.stop());

  const makeAdmin = async (user: User): Promise<User> => {
    await app.database.query({ text: `update users set roles = '{user,admin}' where id = $1` }, [user.user.id]);
    return user;
  };
  const hasEvent = (type: string) =>
    eventually(async () => {
      const { body } = await admin.get(`/api/users/${other.user.id}/activity`);
      return body.data.find((event: { type: string }) => event.type === type);
    });

  it('alone may use these routes', async () => {
    const { id } = other.user;
    for (const [method, path, body] of [
      ['get', '/api/users', undefined],
      ['get', `/api/users/${id}`, undefined],
      ['patch', `/api/users/${id}`, { disabled: true }],
      ['patch', `/api/users/${id}/roles`, { roles: ['admin'] }],
      ['delete', `/api/users/${id}/sessions`, undefined],
      ['get', `/api/users/${id}/activity`, undefined],
    ] as const) {
      expectProblem(await app.anyone[method](path, body), 401, 'auth.token_missing');
      expectProblem(await other[method](path, body), 403, 'auth.role_required');
      if (body !== undefined) expectProblem(await other[method](path, { broken: 1 }), 403, 'auth.role_required');
    }
    expect((await other.get('/api/users/me')).body.data.roles).to.deep.equal(['user']);
  });

  it('sees all users, a page at a time, newest first and each once', async () => {
    for (let n = 0; n < 3; n++) await app.signIn();
    const seen: { id: string; created_at: string }[] = [];
    for (let cursor = ''; cursor !== 'null'; ) {
      const { status, body } = await admin.get(`/api/users?limit=2${cursor && `&cursor=${cursor}`}`);
      expect(status).to.equal(200);
      seen.push(...body.data);
      cursor = String(body.meta.page.next_cursor);
    }
    const rows = await app.database.query<{ id: string }>({
      text: 'select id from users order by created_at desc, id desc',
    });
    expect(seen.map(({ id }) => id)).to.deep.equal(rows.map(({ id }) => id));
    expectProblem(await admin.get('/api/users?cursor=abc'), 422, 'validation.failed');
    expectProblem(await admin.get('/api/users?limit=0'), 422, 'validation.failed');
  });

  it('sees a user, and that one is not there', async () => {
    const answer = await admin.get(`/api/users/${other.user.id}`);
    expect(answer.body.data).to.deep.include({
      id: other.user.id,
      email: other.user.email,
      roles: ['user'],
      disabled: false,
    });
    expect(answer.text).to.not.match(/argon2|password/);
    const nobody = `/api/users/${randomUUID()}`;
    expectProblem(await admin.get(nobody), 404, 'http.not_found');
    expectProblem(await admin.patch(nobody, { disabled: true }), 404, 'http.not_found');
    expectProblem(await admin.patch(`${nobody}/roles`, { roles: ['user'] }), 404, 'http.not_found');
    expectProblem(await admin.delete(`${nobody}/sessions`), 404, 'http.not_found');
    expectProblem(await admin.get(`${nobody}/activity`), 404, 'http.not_found');
    for (const id of ['1', "x'%20or%201=1--", '%7B%22$ne%22:1%7D', other.user.id.toUpperCase()]) {
      expectProblem(await admin.get(`/api/users/${id}`), 422, 'validation.failed');
    }
  });

  it('disables a user, who is signed out and cannot sign in until enabled', async () => {
    const { id, email, password } = other.user;
    const login = () => app.anyone.post('/api/auth/login', { email, password });
    const disabled = await admin.patch(`/api/users/${id}`, { disabled: true });
    expect(disabled.body.data).to.include({ id, disabled: true });
    expectProblem(await other.get('/api/users/me'), 401, 'auth.token_invalid');
    expectProblem(await login(), 401, 'auth.invalid_credentials');
    const event = await hasEvent('user.disabled');
    expect(event, 'where administrators are is not told').to.deep.include({ ip_address: null, device: {} });
    expect((await admin.patch(`/api/users/${id}`, { disabled: false })).body.data.disabled).to.equal(false);
    expect((await login()).status).to.equal(200);
    expectProblem(await other.get('/api/users/me'), 401, 'auth.token_invalid');
    await hasEvent('user.enabled');
  });

  it('changes roles, which are in effect from the next request on', async () => {
    const roles = `/api/users/${other.user.id}/roles`;
    expect((await admin.patch(roles, { roles: ['user', 'admin'] })).body.data.roles).to.deep.equal(['user', 'admin']);
    expect((await other.get('/api/users')).status).to.equal(200);
    await hasEvent('user.roles_changed');
    await admin.patch(roles, { roles: ['user'] });
    expectProblem(await other.get('/api/users'), 403, 'auth.role_required');
  });

  for (const body of [
    {},
    { roles: [] },
    { roles: 'admin' },
    { roles: ['root'] },
    { roles: ['user', 'user'] },
    { roles: [{ $ne: 1 }] },
    { roles: ['user'], id: randomUUID() },
    { roles: null },
  ]) {
    it(`cannot set roles that there are not: ${JSON.stringify(body).slice(0, 30)}`, async () =>
      expectProblem(await admin.patch(`/api/users/${other.user.id}/roles`, body), 422, 'validation.failed'));
  }

  it('cannot change anything of a user but that', async () => {
    for (const body of [
      {},
      { disabled: 'true' },
      { disabled: null },
      { disabled: false, roles: ['admin'] },
      { email: 'x' },
    ]) {
      expectProblem(await admin.patch(`/api/users/${other.user.id}`, body), 422, 'validation.failed');
    }
  });

  it('cannot change their own roles', async () => {
    await makeAdmin(other);
    for (const roles of [['user'], ['user', 'admin']]) {
      expectProblem(await admin.patch(`/api/users/${admin.user.id}/roles`, { roles }), 403, 'users.own_roles');
    }
  });

  it('is not disabled or deleted as the last one', async () => {
    expectProblem(await admin.patch(`/api/users/${admin.user.id}`, { disabled: true }), 409, 'users.last_admin');
    const deleted = await admin.delete('/api/users/me', { current_password: admin.user.password });
    expectProblem(deleted, 409, 'users.last_admin');
    await makeAdmin(other);
    await app.database.query({ text: 'update users set disabled_at = now() where id = $1' }, [other.user.id]);
    const again = await admin.delete('/api/users/me', { current_password: admin.user.password });
    expectProblem(again, 409, 'users.last_admin');
    expect((await admin.get('/api/users')).status).to.equal(200);
  });

  it('remains, when two take each other away at the same time', async () => {
    for (let n = 0; n < 5; n++) {
      await Promise.all([makeAdmin(admin), makeAdmin(other)]);
      const answers = await Promise.all([
        admin.patch(`/api/users/${other.user.id}/roles`, { roles: ['user'] }),
        other.patch(`/api/users/${admin.user.id}/roles`, { roles: ['user'] }),
      ]);
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses[0]).to.equal(200);
      expect(statuses[1]).to.be.oneOf([403, 409]);
      const rows = await app.database.query({ text: `select 1 from users where 'admin' = any (roles)` });
      expect(rows).to.have.lengthOf(1);
    }
  });

  it('signs a user out everywhere', async () => {
    expect((await admin.delete(`/api/users/${other.user.id}/sessions`)).status).to.equal(204);
    expectProblem(await other.get('/api/users/me'), 401, 'auth.token_invalid');
    await hasEvent('auth.session_revoked');
    expect((await admin.get('/api/users/me')).status).to.equal(200);
  });

  it('sees what happened to the account of a user, with its pages', async () => {
    await hasEvent('auth.signed_in');
    const path = `/api/users/${other.user.id}/activity`;
    const first = await admin.get(`${path}?limit=1`);
    const second = await admin.get(`${path}?limit=1&cursor=${first.body.meta.page.next_cursor}`);
    expect([first, second].flatMap(({ body }) => body.data.map((event: { type: string }) => event.type))).to.deep.equal(
      ['auth.signed_in', 'auth.registered'],
    );
    const foreign = await admin.get(`/api/users/${admin.user.id}/activity?cursor=${first.body.meta.page.next_cursor}`);
    expectProblem(foreign, 422, 'validation.failed');
  });
});
