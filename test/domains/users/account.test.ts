import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { bearer, freshCredentials, request, type SignedIn } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedStores } from '../../support/stores.ts';
import { type Caller, startTestApp, type TestApp } from '../../support/test-app.ts';

const NEW_PASSWORD = 'another horse battery';

describe('my account', () => {
  let app: TestApp;
  let me: Caller & { readonly user: SignedIn };
  before(async () => {
    app = await startTestApp();
  });
  beforeEach(async () => {
    me = await app.signIn();
  });
  after(() => app.stop());

  const signInAgain = async (password = me.user.password): Promise<string> => {
    const { body } = await app.anyone.post('/api/auth/login', { email: me.user.email, password });
    return body.data.access_token;
  };
  const statusOf = async (token: string) =>
    (await request(`${app.url}/api/users/me`, { headers: bearer(token) })).status;
  const hasEvent = (type: string, token = me.user.accessToken) =>
    eventually(async () => {
      const { body } = await request(`${app.url}/api/activity?limit=100`, { headers: bearer(token) });
      return body.data.some((event: { type: string }) => event.type === type);
    });

  describe('gets another address', () => {
    it('in the one form in which addresses are kept, and is found by it', async () => {
      const { email } = freshCredentials();
      const changed = await me.patch('/api/users/me', {
        email: email.toUpperCase(),
        current_password: me.user.password,
      });
      expect(changed.status).to.equal(200);
      expect(changed.body.data).to.deep.include({ id: me.user.id, email, roles: ['user'] });
      expect((await me.get('/api/users/me')).body.data.email).to.equal(email);
      const { password } = me.user;
      expect((await app.anyone.post('/api/auth/login', { email, password })).status).to.equal(200);
      const old = await app.anyone.post('/api/auth/login', { email: me.user.email, password });
      expectProblem(old, 401, 'auth.invalid_credentials');
      await hasEvent('user.email_changed');
    });

    it('not without the current password', async () => {
      const { email } = freshCredentials();
      const answer = await me.patch('/api/users/me', { email, current_password: 'wrong horse battery' });
      expectProblem(answer, 403, 'auth.wrong_password');
      expectProblem(await me.patch('/api/users/me', { email }), 422, 'validation.failed');
      expect((await me.get('/api/users/me')).body.data.email).to.equal(me.user.email);
      await hasEvent('auth.refused');
    });

    it('not when another account has it, whatever way it is written', async () => {
      const other = await app.signIn();
      for (const email of [other.user.email, other.user.email.toUpperCase()]) {
        const answer = await me.patch('/api/users/me', { email, current_password: me.user.password });
        expectProblem(answer, 409, 'auth.email_taken');
      }
    });

    it('and nothing else of it', async () => {
      for (const extra of [{ roles: ['admin'] }, { id: me.user.id }, { disabled: true }, { password: NEW_PASSWORD }]) {
        const body = { email: me.user.email, current_password: me.user.password, ...extra };
        expectProblem(await me.patch('/api/users/me', body), 422, 'validation.failed');
      }
    });

    for (const email of ['x', ' a@example.org', 'a@localhost', { $ne: null }, null, ['a@example.org']]) {
      it(`not when it is none: ${JSON.stringify(email)}`, async () => {
        const answer = await me.patch('/api/users/me', { email, current_password: me.user.password });
        expectProblem(answer, 422, 'validation.failed');
        expect(answer.body.errors[0].field).to.equal('/body/email');
      });
    }
  });

  describe('gets another password', () => {
    const change = (current_password: unknown, new_password: unknown) =>
      me.post('/api/users/me/password', { current_password, new_password });

    it('and all other sessions end', async () => {
      const other = await signInAgain();
      const answer = await change(me.user.password, NEW_PASSWORD);
      expect(answer.status, answer.text).to.equal(204);
      expect(await statusOf(other)).to.equal(401);
      expect((await me.get('/api/users/me')).status, 'this one stays').to.equal(200);
      const { email, password } = me.user;
      expectProblem(await app.anyone.post('/api/auth/login', { email, password }), 401, 'auth.invalid_credentials');
      expect(await statusOf(await signInAgain(NEW_PASSWORD))).to.equal(200);
      await hasEvent('auth.password_changed');
    });

    it('not without the current one', async () => {
      for (const wrong of ['', 'wrong horse battery', "' or ''='"]) {
        expectProblem(await change(wrong, NEW_PASSWORD), 403, 'auth.wrong_password');
      }
      expect(await statusOf(await signInAgain())).to.equal(200);
    });

    it('not when it is not good enough', async () => {
      for (const [password, rule] of [
        ['short', 'minLength'],
        ['kxqzwvjh'.repeat(17), 'maxLength'],
        ['password1234567', 'commonPassword'],
        [`${me.user.email.split('.')[0]} is my name`, 'ownAddress'],
      ]) {
        const answer = await change(me.user.password, password);
        expectProblem(answer, 422, 'validation.failed');
        expect(answer.body.errors[0]).to.include({ field: '/body/new_password', rule });
      }
    });

    it('only from texts', async () => {
      for (const value of [{ $ne: null }, ['x'], null, 1, true, 'x'.repeat(1025), '\u{1f511}'.repeat(257)]) {
        expectProblem(await change(value, NEW_PASSWORD), 422, 'validation.failed');
      }
    });

    it('once, when it is asked for twice at a time', async () => {
      const answers = await Promise.all([
        change(me.user.password, NEW_PASSWORD),
        change(me.user.password, 'a third horse battery'),
      ]);
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([204, 403]);
    });
  });

  describe('is deleted', () => {
    it('with its sessions, and its activity is of nobody any more', async () => {
      const mongo = await new MongoClient(sharedStores().mongoUrl).connect();
      try {
        const collection = mongo.db('okapi').collection('activity_events');
        await eventually(async () => (await collection.countDocuments({ user_id: me.user.id })) === 2);
        const other = await signInAgain();
        const answer = await me.delete('/api/users/me', { current_password: me.user.password });
        expect(answer.status, answer.text).to.equal(204);
        expect(await statusOf(other)).to.equal(401);
        expectProblem(await me.get('/api/users/me'), 401, 'auth.token_invalid');
        await eventually(async () => {
          const deleted = await collection.findOne({ user_id: null, type: 'user.deleted' });
          return deleted !== null && (await collection.countDocuments({ user_id: me.user.id })) === 0;
        });
        const left = await collection.find({ user_id: null, type: 'user.deleted' }).toArray();
        expect(left[0]).to.deep.include({ ip_address: null, device: {}, request_id: null, trace_id: null });
      } finally {
        await mongo.close();
      }
      const { email, password } = me.user;
      expectProblem(await app.anyone.post('/api/auth/login', { email, password }), 401, 'auth.invalid_credentials');
      expect((await app.anyone.post('/api/auth/register', { email, password })).status, 'it is free').to.equal(201);
    });

    it('not without the current password', async () => {
      expectProblem(await me.delete('/api/users/me', { current_password: 'x' }), 403, 'auth.wrong_password');
      expectProblem(await me.delete('/api/users/me', {}), 422, 'validation.failed');
      expectProblem(await me.delete('/api/users/me'), 422, 'validation.failed');
      expect((await me.get('/api/users/me')).status).to.equal(200);
    });
  });

  it('is nobody else’s to read or change', async () => {
    for (const [method, path, body] of [
      ['get', '/api/users/me', undefined],
      ['patch', '/api/users/me', { email: 'a@example.org', current_password: 'x' }],
      ['post', '/api/users/me/password', { current_password: 'x', new_password: NEW_PASSWORD }],
      ['delete', '/api/users/me', { current_password: 'x' }],
    ] as const) {
      expectProblem(await app.anyone[method](path, body), 401, 'auth.token_missing');
    }
  });
});
