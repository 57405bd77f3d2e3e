import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { type Collection, MongoClient } from 'mongodb';
import { recordActivity } from '../../../src/domains/activity/index.ts';
import type { ActivityEvent } from '../../../src/domains/activity/store.ts';
import { freshCredentials, request, type SignedIn } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { expectProblem } from '../../support/problem.ts';
import { type Caller, startTestApp, type TestApp } from '../../support/test-app.ts';
import { startTestMongo, type TestMongo } from '../../support/test-mongo.ts';

type Row = { id: string; stream: string; message: Record<string, unknown>; quantity: number };

describe('activity', () => {
  const name = `activity_${randomBytes(4).toString('hex')}`;
  let mongo: TestMongo;
  let client: MongoClient;
  let events: Collection<ActivityEvent>;
  let app: TestApp;
  let me: Caller & { readonly user: SignedIn };
  before(async () => {
    mongo = await startTestMongo();
    client = new MongoClient(mongo.url(name));
    events = client.db(name).collection('activity_events');
    app = await startTestApp({ MONGO_URL: mongo.url(name), MONGO_DB: name, TRUST_PROXY: '1' });
  });
  beforeEach(async () => {
    me = await app.signIn();
  });
  after(async () => {
    await app.stop();
    await client.close();
    await mongo.stop();
  });

  const eventsOf = (user_id: string | null) => events.find({ user_id }).sort({ at: 1, _id: 1 }).toArray();
  const typesOf = async (userId: string) => (await eventsOf(userId)).map(({ type }) => type);
  const rowsOf = (stream: string) =>
    app.database.query<Row>({ text: 'select * from outbox where stream = $1 order by id' }, [stream]);
  const loginFrom = (address: string, email: string, password: string) =>
    request(`${app.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': address },
      body: JSON.stringify({ email, password }),
    });
  const statementsOf = async (answer: Awaited<ReturnType<typeof loginFrom>>) =>
    (await app.lineOf(answer, 'app.http.access')).extra?.['postgres_statements'];

  it('is told with the ids of its request, where it came from, and when', async () => {
    const answer = await me.delete('/api/auth/sessions');
    const second = await me.post('/api/auth/refresh', { refresh_token: me.user.refreshToken });
    await eventually(async () => (await me.get('/api/activity')).body.data.length === 3);
    const { data } = (await me.get('/api/activity')).body;
    expect(data.map(({ type }: { type: string }) => type)).to.deep.equal([
      'auth.refreshed',
      'auth.signed_in',
      'auth.registered',
    ]);
    expect(answer.status).to.equal(204);
    const { request_id, trace_id } = second.body.meta;
    expect(data[0]).to.include({ request_id, trace_id, ip_address: '127.0.0.1' });
    expect(data[0]).not.to.have.any.keys('user_id', 'traceparent', 'count');
  });

  it('costs no statement of its own at register, login and refresh', async () => {
    const credentials = freshCredentials();
    const registered = await app.anyone.post('/api/auth/register', credentials);
    const loggedIn = await app.anyone.post('/api/auth/login', credentials);
    const { refresh_token } = loggedIn.body.data;
    const refreshed = await app.anyone.post('/api/auth/refresh', { refresh_token });
    expect(await statementsOf(registered), 'begin, insert, have mail sent, commit').to.equal(4);
    expect(await statementsOf(loggedIn), 'find, insert').to.equal(2);
    expect(await statementsOf(refreshed), 'begin, lock, rotate, commit').to.equal(4);
  });

  describe('of an account that is deleted', () => {
    const remove = async () => {
      const answer = await me.delete('/api/users/me', { current_password: me.user.password });
      expect(answer.status, answer.text).to.equal(204);
    };

    it('is anonymous at once where it is on its way, and in Mongo as soon as it is there', async () => {
      const { id, refreshToken } = me.user;
      await eventually(async () => (await typesOf(id)).length === 2);
      await mongo.kill();
      await me.post('/api/auth/refresh', { refresh_token: refreshToken });
      await eventually(async () => (await rowsOf(id)).length === 3);
      await remove();
      const rows = await rowsOf(id);
      expect(rows, 'refreshed, deleted, and the erasure').to.have.length(3);
      for (const { message } of rows.slice(0, 2)) {
        const nobody = { user_id: null, ip_address: null, device: {}, request_id: null, trace_id: null };
        expect(message['event']).to.deep.include(nobody);
      }
      expect(JSON.stringify(rows.slice(0, 2).map(({ message }) => message))).not.to.contain(id);
      await mongo.restart();
      await eventually(async () => (await events.countDocuments({ type: 'user.deleted' })) === 1);
      await eventually(async () => (await events.countDocuments({ user_id: id })) === 0);
      const left = (await eventsOf(null)).map(({ type, device, ip_address }) => ({ type, device, ip_address }));
      expect(left.map(({ type }) => type)).to.have.members([
        'auth.registered',
        'auth.signed_in',
        'auth.refreshed',
        'user.deleted',
      ]);
      for (const { device, ip_address } of left)
        expect({ device, ip_address }).to.deep.equal({ device: {}, ip_address: null });
    });

    it('is anonymous also when it is told too late', async () => {
      const { id } = me.user;
      await remove();
      await events.deleteMany({ user_id: null });
      const [device] = await app.database.query({ text: `select '192.0.2.9' as ip_address` });
      await recordActivity(app.database, { type: 'auth.refused', userId: id, device: device as never });
      await eventually(async () => (await events.countDocuments({ type: 'auth.refused' })) === 1);
      expect(await events.findOne({ type: 'auth.refused' })).to.deep.include({ user_id: null, ip_address: null });
      await events.deleteMany({ user_id: null });
    });
  });

  describe('of callers who are refused', () => {
    it('of an account is told to its user, each time', async () => {
      for (let n = 0; n < 2; n++) expectProblem(await loginFrom('192.0.2.5', me.user.email, 'wrong'), 401);
      await eventually(async () => (await typesOf(me.user.id)).filter((type) => type === 'auth.refused').length === 2);
      expect((await eventsOf(me.user.id)).at(-1)).to.include({ type: 'auth.refused', ip_address: '192.0.2.5' });
    });

    it('costs the same for an address that has an account as for one that has none', async () => {
      const known = await loginFrom('192.0.2.6', me.user.email, 'wrong');
      const unknown = await loginFrom('192.0.2.6', 'nobody@example.org', 'wrong');
      expect([await statementsOf(known), await statementsOf(unknown)]).to.deep.equal([1, 1]);
    });

    it('of nobody is one event for each address and minute', async () => {
      const nobody = '00000000-0000-0000-0000-000000000000';
      const counted = async (network: string) => {
        const rows = (await rowsOf(nobody)).filter(({ message }) => JSON.stringify(message).includes(`"${network}"`));
        return rows.reduce((sum, { quantity }) => sum + quantity, 0);
      };
      for (const address of ['192.0.2.7', '192.0.2.7', '2001:db8::1', '2001:db8::2', '192.0.2.7']) {
        expectProblem(await loginFrom(address, 'nobody@example.org', 'wrong'), 401);
      }
      await eventually(async () => (await counted('192.0.2.7')) === 3 && (await counted('2001:db8:0:0::/64')) === 2);
      // Else the minute would have to pass.
      await app.database.query({ text: 'update outbox set due_at = now() where delivered_at is null' });
      await app.database.query({ text: 'notify outbox' });
      const arrived = (ip_address: string) => events.find({ user_id: null, ip_address }).toArray();
      const sum = async (ip_address: string) =>
        (await arrived(ip_address)).reduce((all, { count = 0 }) => all + count, 0);
      await eventually(async () => (await sum('192.0.2.7')) === 3 && (await sum('2001:db8:0:0::/64')) === 2);
      expect((await arrived('192.0.2.7'))[0]).to.deep.include({
        type: 'auth.refused',
        device: {},
        request_id: null,
        trace_id: null,
      });
    });
  });
});
