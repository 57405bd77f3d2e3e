import { expect } from 'chai';
import { readSettings } from '../../src/core/config/index.ts';
import { exampleOf } from '../../src/core/http/openapi/example.ts';
import { isGuarded } from '../../src/core/http/route.ts';
import { type MountedRoute, mountedRoutes } from '../../src/core/http/router.ts';
import type { TSchema } from '../../src/core/http/type.ts';
import { DOMAIN_SETTINGS } from '../../src/domains/settings.ts';
import { type Answer, bearer, freshCredentials, request, type SignedIn } from '../support/client.ts';
import { declaredRouters } from '../support/declared-routes.ts';
import { eventually } from '../support/eventually.ts';
import { answersIn, expectProblem } from '../support/problem.ts';
import { sendRaw } from '../support/raw-http.ts';
import { type Caller, startTestApp, type TestApp } from '../support/test-app.ts';

const OPERATORS = [{ $gt: '' }, { $ne: null }, { $where: 'true' }, { $regex: '.*' }, [{ $gt: '' }], ['x', 'y']];
const TEXTS = [
  "' or 1=1 --",
  "x'; drop table users; --",
  '{"$gt": ""}',
  '$where',
  '__proto__',
  '\u0000',
  '\ud800',
  '../../etc/passwd',
  '$' + '{jndi:ldap://127.0.0.1/x}',
];
const UNASKED: readonly Record<string, unknown>[] = [
  { roles: ['admin'] },
  { id: '7b84c50e-aabd-45ee-9682-ba0c64f005a7' },
  { is_admin: true },
  { verified_at: '2020-01-01T00:00:00Z' },
  { password_hash: 'x' },
  { constructor: { prototype: { roles: ['admin'] } } },
];

const routes = mountedRoutes(declaredRouters(readSettings({}, {}, DOMAIN_SETTINGS))).filter(({ template }) =>
  template.startsWith('/api/'),
);
const fieldsOf = (schema: TSchema | undefined) =>
  Object.keys((schema as { properties?: object } | undefined)?.properties ?? {});
const nameOf = ({ route, template }: MountedRoute) => `${route.method.toUpperCase()} ${template}`;

describe('whoever attacks', () => {
  let app: TestApp;
  let victim: Caller & { readonly user: SignedIn };
  let untouched: unknown;
  before(async () => {
    app = await startTestApp({ RATE_LIMIT_ENABLED: 'false' });
    victim = await app.signIn();
    untouched = await victimRow();
  });
  after(() => app.stop());

  const victimRow = () =>
    app.database.query({ text: 'select email, password_hash, roles, disabled_at from users where id = $1' }, [
      victim.user.id,
    ]);

  /** Sends requests of an administrator, so that nothing is refused before the attack is read. */
  async function attackerOn({ route, template }: MountedRoute) {
    const { user } = await app.signIn();
    await app.database.query({ text: `update users set roles = '{user,admin}' where id = $1` }, [user.id]);
    const headers = isGuarded(route) ? bearer(user.accessToken) : {};
    const path = template.replace(':id', victim.user.id);
    return (body: unknown, at = path): Promise<Answer> =>
      request(`${app.url}${at}`, {
        method: route.method.toUpperCase(),
        headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
  }

  for (const mounted of routes.filter(({ route }) => route.body !== undefined)) {
    const { body } = mounted.route;
    const good = exampleOf(body as TSchema) as Record<string, unknown>;

    for (const field of fieldsOf(body)) {
      it(`gains nothing by what stands in ${field} of ${nameOf(mounted)}`, async () => {
        const send = await attackerOn(mounted);
        for (const operator of OPERATORS) {
          const answer = await send({ ...good, [field]: operator });
          expectProblem(answer, 422, 'validation.failed');
          expect(answer.body.errors[0].field).to.match(new RegExp(`^/body/${field}\\b`));
        }
        for (const text of TEXTS) expect((await send({ ...good, [field]: text })).status).to.be.below(500);
      });
    }

    it(`cannot give ${nameOf(mounted)} more than it asks for`, async () => {
      const send = await attackerOn(mounted);
      for (const extra of UNASKED.filter((each) => !fieldsOf(body).includes(Object.keys(each)[0] ?? ''))) {
        const answer = await send({ ...good, ...extra });
        expectProblem(answer, 422, 'validation.failed');
        expect(answer.body.errors[0]).to.include({ rule: 'additionalProperties' });
      }
      const polluting = JSON.stringify({ ...good, proto: { roles: ['admin'] } }).replace('"proto"', '"__proto__"');
      expectProblem(await send(polluting), 400, 'request.forbidden_field');
    });
  }

  for (const mounted of routes.filter(({ route }) => route.params !== undefined || route.query !== undefined)) {
    it(`gains nothing by what stands in the URL of ${nameOf(mounted)}`, async () => {
      const send = await attackerOn(mounted);
      const { route, template } = mounted;
      const id = victim.user.id;
      const body = route.body === undefined ? undefined : exampleOf(route.body);
      for (const text of TEXTS.map((each) => encodeURIComponent(each.toWellFormed()))) {
        if (template.includes(':id')) {
          const answer = await send(body, template.replace(':id', text));
          expect(answer.status, text).to.be.oneOf([400, 404, 422]);
        }
        for (const field of fieldsOf(route.query)) {
          expectProblem(await send(body, `${template.replace(':id', id)}?${field}=${text}`), 422);
          expectProblem(await send(body, `${template.replace(':id', id)}?${field}[$gt]=${text}`), 422);
        }
      }
    });
  }

  it('cannot make the service work on a password of ten megabytes', async () => {
    for (const path of ['/api/auth/register', '/api/auth/login']) {
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10485800\r\n\r\n`;
      // It is over before all of it is sent.
      const [answer] = answersIn(
        await sendRaw(app.url, `${head}{"email":"a@example.org","password":"${'x'.repeat(1024)}`),
      );
      expectProblem(answer as Answer, 413, 'http.payload_too_large');
    }
  });

  it('finds passwords of 128 characters of four bytes taken, and those of 129 not', async () => {
    const { email } = freshCredentials();
    const password = '\u{1f511}\u{1f40e}'.repeat(64);
    expect(Buffer.byteLength(password)).to.equal(512);
    expect((await app.anyone.post('/api/auth/register', { email, password })).status).to.equal(201);
    expect((await app.anyone.post('/api/auth/login', { email, password })).status).to.equal(200);
    const longer = await app.anyone.post('/api/auth/register', {
      ...freshCredentials(),
      password: `${password}\u{1f511}`,
    });
    expectProblem(longer, 422, 'validation.failed');
  });

  it('cannot take an address by another way of writing it, or by what looks like it', async () => {
    const { email, password } = victim.user;
    for (const same of [
      email.toUpperCase(),
      email.replace('@', '\uff20'),
      email.replace('p', '\uff50'),
      email.replace('example.org', 'EXAMPLE\u3002ORG'),
      // What has no width is nothing in a domain (UTS #46).
      `${email}\u200b`,
    ]) {
      expectProblem(await app.anyone.post('/api/auth/register', { email: same, password }), 409, 'auth.email_taken');
    }
    for (const other of [email.replace('p', '\u0440'), email.replace('o', '\u043e'), ` ${email}`]) {
      expectProblem(await app.anyone.post('/api/auth/register', { email: other, password }), 422, 'validation.failed');
    }
  });

  it('writes no line of the log and no header of an answer by X-Request-ID or User-Agent', async () => {
    const forged = '{"level":"ERROR","message":"forged"}';
    for (const name of ['X-Request-ID', 'User-Agent']) {
      for (const value of [
        `a\r\n${forged}: 1`,
        `a\r\n ${forged}`,
        `a\n${forged}: 1`,
        `a\r${forged}`,
        `a"}\\n${forged}`,
        'a\u001b[2Jb',
        'a\u0085b\u009b31m',
      ]) {
        const received = await sendRaw(
          app.url,
          `GET /api/users/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${name}: ${value}\r\n\r\n`,
        );
        expect(received.split('\r\n\r\n')[0]).to.match(/^HTTP\/1\.1 (400|401) /);
        expect(received.split('\r\n\r\n')[0]?.replace(/^x-request-id: .*$/im, ''), value).to.not.include('forged');
      }
    }
    const last = await app.anyone.get('/api/users/me');
    await app.lineOf(last, 'app.http.access');
    // Each line is parsed: what a caller wrote into one is a value in it.
    expect(app.lines().filter(({ message }) => message === 'forged')).to.deep.equal([]);
  });

  it('has changed nothing, and left no error in the log', async () => {
    expect(await victimRow()).to.deep.equal(untouched);
    expect((await victim.get('/api/users/me')).body.data).to.deep.include({ id: victim.user.id, roles: ['user'] });
    const answer = await app.anyone.get('/api/users/me');
    await eventually(() => app.lineOf(answer, 'app.http.access'));
    expect(app.lines().filter(({ level }) => level === 'ERROR')).to.deep.equal([]);
    const admins = await app.database.query({
      text: `select email from users where 'admin' = any (roles) and email not like 'person%'`,
    });
    expect(admins).to.deep.equal([]);
  });
});
