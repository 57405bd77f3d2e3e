import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { request } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { expectProblem } from '../../support/problem.ts';
import { startTestApp, type TestApp } from '../../support/test-app.ts';
import { eventOf, ON, SWITCHES, signInAdmin, type User } from './harness.ts';

describe('run-time switches', () => {
  describe('without OPERATIONS_SWITCHES', () => {
    let app: TestApp;
    before(async () => {
      app = await startTestApp();
    });
    after(() => app.stop());

    it('are not there, for administrators neither', async () => {
      const admin = await signInAdmin(app);
      for (const [method, path, body] of SWITCHES) {
        expectProblem(await admin[method](path, body), 404, 'http.not_found');
      }
      const paths = Object.keys((await app.anyone.get('/openapi.json')).body.paths);
      expect(paths.filter((path) => path.includes('operations'))).to.deep.equal([]);
    });
  });

  describe('with OPERATIONS_SWITCHES', () => {
    let app: TestApp;
    let admin: User;
    const secret = 'a-secret-of-the-metrics-scraper';
    before(async () => {
      app = await startTestApp({
        ...ON,
        LOG_LEVEL: 'INFO',
        METRICS_TOKEN: secret,
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=${secret}`,
      });
      admin = await signInAdmin(app);
    });
    after(() => app.stop());

    it('are for administrators alone', async () => {
      const user = await app.signIn();
      for (const [method, path, body] of SWITCHES) {
        expectProblem(await app.anyone[method](path, body), 401, 'auth.token_missing');
        expectProblem(await user[method](path, body), 403, 'auth.role_required');
        if (body !== undefined) expectProblem(await user[method](path, { broken: 1 }), 403, 'auth.role_required');
      }
    });

    it('say that they are about one process, which the log names as well', async () => {
      const [{ service }] = app.lines() as unknown as [{ service: { instance: string } }];
      for (const [method, path, body] of SWITCHES) {
        const answer = await admin[method](path, body);
        expect(answer.status, path).to.be.oneOf([200, 201]);
        if (answer.body?.meta !== undefined) expect(answer.body.meta.process.instance, path).to.equal(service.instance);
      }
    });

    it('leave an activity event of the administrator and a line in the log, whatever is used', async () => {
      for (const [method, path, body, type] of [
        ['get', '/api/operations/log-levels', undefined, 'operations.switches_viewed'],
        ['put', '/api/operations/log-levels/app.x', { level: 'ERROR', seconds: 60 }, 'operations.log_level_changed'],
        ['delete', '/api/operations/log-levels/app.x', undefined, 'operations.log_level_changed'],
        ['get', '/api/operations/requests', undefined, 'operations.requests_viewed'],
        ['get', '/api/operations/settings', undefined, 'operations.settings_viewed'],
      ] as const) {
        const answer = await admin[method](path, body);
        expect(await eventOf(admin, answer)).to.include({ type, ip_address: '127.0.0.1' });
        const line = await app.lineOf(answer, 'app.operations.switches');
        expect(line).to.include({ level: 'INFO', user_id: admin.user.id });
        expect(line.extra).to.include({ use: type });
      }
    });

    it('are left alone, and leave no event, when they are asked for something that cannot be', async () => {
      const level = '/api/operations/log-levels/app.auth';
      for (const [path, body, field] of [
        [level, {}, '/body/level'],
        [level, { level: 'debug', seconds: 60 }, '/body/level'],
        [level, { level: 'DEBUG', seconds: 0 }, '/body/seconds'],
        [level, { level: 'DEBUG', seconds: 3601 }, '/body/seconds'],
        [level, { level: 'DEBUG', seconds: 60, logger: 'app' }, '/body/logger'],
        ['/api/operations/log-levels/app..auth', { level: 'DEBUG', seconds: 60 }, '/params/logger'],
      ] as const) {
        const answer = await admin.put(path, body);
        expectProblem(answer, 422, 'validation.failed');
        expect(answer.body.errors.map((each: { field: string }) => each.field)).to.include(field);
      }
      expectProblem(await admin.delete('/api/operations/log-levels/app.never'), 404, 'http.not_found');
      expectProblem(await admin.get('/api/operations/requests?limit=1001'), 422, 'validation.failed');
      expect((await admin.get('/api/operations/log-levels')).body.data).to.deep.equal([]);
    });

    it('show DEBUG lines of one logger in the file, until that is ended', async () => {
      const probes = () => app.lines().filter(({ extra }) => extra?.['route'] === '/health/live').length;
      const set = await admin.put('/api/operations/log-levels/app.http', { level: 'DEBUG', seconds: 3600 });
      expect(set.body.data).to.have.length(1);
      expect(set.body.data[0]).to.include({ logger: 'app.http', level: 'DEBUG' });
      expect((await admin.get('/api/operations/log-levels')).body.data).to.deep.equal(set.body.data);
      await app.anyone.get('/health/live');
      await eventually(() => probes() === 1);
      const ended = await admin.delete('/api/operations/log-levels/app.http');
      expect(ended.body.data).to.deep.equal([]);
      await app.anyone.get('/health/live');
      await app.lineOf(await admin.get('/api/users/me'), 'app.http.access');
      expect(probes()).to.equal(1);
    });

    it('end by themselves', async () => {
      await admin.put('/api/operations/log-levels/app.brief', { level: 'DEBUG', seconds: 1 });
      await eventually(async () => (await admin.get('/api/operations/log-levels')).body.data.length === 0);
    });

    it('show the requests under way, with their route and user and nothing that they carry', async () => {
      const slow = new AbortController();
      const email = `${randomUUID()}@example.org`;
      const id = `held-${randomUUID()}`;
      const held = fetch(`${app.url}/api/auth/login?token=in-the-query`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Request-ID': id },
        body: new ReadableStream({ start: (body) => body.enqueue(Buffer.from(`{"email":"${email}"`)) }),
        duplex: 'half',
        signal: slow.signal,
      } as RequestInit).catch(() => undefined);
      type View = { request_id: string; route: string | null };
      const isHeld = ({ request_id, route }: View) => request_id === id && route !== null;
      await eventually(async () => (await admin.get('/api/operations/requests')).body.data.some(isHeld));
      const seen = await admin.get('/api/operations/requests');
      const oldest = await admin.get('/api/operations/requests?limit=1');
      slow.abort();
      await held;
      const [first, mine] = seen.body.data;
      expect(first).to.deep.include({ method: 'POST', route: '/api/auth/login', request_id: id, user_id: null });
      expect(first.age_ms).to.be.at.least(mine.age_ms);
      expect(mine).to.deep.include({ method: 'GET', route: '/api/operations/requests', user_id: admin.user.id });
      expect(seen.body.meta.total).to.equal(2);
      expect(seen.text).to.not.include('in-the-query').and.not.include(email);
      expect(oldest.body.data.map((each: View) => each.request_id)).to.deep.equal([id]);
    });

    it('show every setting as npm run config does, with its origin and no secret', async () => {
      const { text, body } = await admin.get('/api/operations/settings');
      type View = { name: string };
      const setting = (name: string) => body.data.find((each: View) => each.name === name);
      expect(setting('OPERATIONS_SWITCHES')).to.include({ value: 'true', origin: 'environment', group: 'Telemetry' });
      expect(setting('REQUEST_TIMEOUT_MS')).to.include({ value: '30000', origin: 'default', group: 'HTTP' });
      expect(setting('SMTP_URL')).to.include({ value: null, origin: 'default' });
      expect(setting('AUTH_RESET_LINK'), 'of a domain').to.include({ origin: 'default' });
      for (const name of ['METRICS_TOKEN', 'DATABASE_URL', 'MONGO_URL', 'OTEL_EXPORTER_OTLP_HEADERS']) {
        expect(setting(name).value, name).to.match(/^•••• \(\d+ bytes\)$/);
      }
      expect(text).to.not.include(secret);
    });

    it('are described where the API is described', async () => {
      const { paths } = (await request(`${app.url}/openapi.json`)).body;
      for (const [method, path] of SWITCHES) {
        const template = path.replace(/\/app\.auth$/, '/{logger}');
        expect(paths[template]?.[method]?.tags, template).to.deep.equal(['operations']);
      }
    });
  });
});
