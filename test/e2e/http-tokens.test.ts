import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { type JWTHeaderParameters, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import pg from 'pg';
import { type Answer, bearer, post, request, type SignedIn, signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { errorLines, expectProblem } from '../support/problem.ts';
import { type Service, startService } from '../support/service.ts';

const ACCESS_KEY = 'K7'.repeat(20);
const REFRESH_KEY = 'Q3'.repeat(20);

describe('who is let in', () => {
  let service: Service;
  let db: pg.Client;
  let user: SignedIn;
  before(async () => {
    service = await startService({
      env: { ACCESS_TOKEN_SIGNING_KEY: ACCESS_KEY, REFRESH_TOKEN_SIGNING_KEY: REFRESH_KEY },
    });
    db = new pg.Client({ connectionString: service.stores.databaseUrl });
    await db.connect();
    user = await signIn(service.url);
  });
  after(async () => {
    await db.end();
    await service.stop();
  });

  const me = (headers: Record<string, string>): Promise<Answer> => request(`${service.url}/api/users/me`, { headers });
  const seconds = () => Math.floor(Date.now() / 1000);
  const claims = (): JWTPayload => ({
    sub: user.id,
    sid: user.sessionId,
    jti: randomUUID(),
    roles: ['user'],
    type: 'access',
    iss: 'okapi',
    aud: 'okapi-client',
    iat: seconds(),
    exp: seconds() + 60,
  });
  const sign = (change: JWTPayload = {}, header: Partial<JWTHeaderParameters> = {}, key = ACCESS_KEY) =>
    new SignJWT({ ...claims(), ...change })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header })
      .sign(Buffer.from(key));
  const without = async (claim: string) => sign({ [claim]: undefined });

  it('is who has a token that is as ours', async () => {
    const answer = await me(bearer(await sign()));
    expect(answer.status).to.equal(200);
    expect(answer.body.data.id).to.equal(user.id);
    expect((await me({ Authorization: `bearer ${await sign()}` })).status, 'the scheme has no case').to.equal(200);
  });

  it('is nobody without a token, and the answer says how to get in', async () => {
    const answer = await me({});
    expectProblem(answer, 401, 'auth.token_missing');
    expect(answer.headers.get('www-authenticate')).to.equal('Bearer');
  });

  for (const [what, header] of [
    ['nothing', ''],
    ['a scheme alone', 'Bearer'],
    ['another scheme', 'Basic eDp5'],
    ['two tokens', 'Bearer a.b.c d.e.f'],
    ['no JWT', 'Bearer x'],
    ['two parts', 'Bearer a.b'],
    ['five parts', 'Bearer a.b.c.d.e'],
    ['three parts that are no JSON', 'Bearer aaaa.bbbb.cccc'],
    ['characters that no token has', 'Bearer a.b.c%00'],
    ['a huge token', `Bearer ${'a'.repeat(5000)}`],
    ['the largest that a header can hold', `Bearer ${'a'.repeat(15_000)}`],
  ] as const) {
    it(`is nobody with ${what} for a token`, async () => {
      const answer = await me({ Authorization: header });
      expectProblem(answer, 401, header === '' ? undefined : 'auth.token_invalid');
      expect(answer.headers.get('www-authenticate')).to.match(/^Bearer/);
    });
  }

  const forged: [what: string, make: () => Promise<string> | string, code?: string][] = [
    ['that has expired', () => sign({ exp: seconds() - 10 }), 'auth.token_expired'],
    ['of another issuer', () => sign({ iss: 'evil' })],
    ['for another audience', () => sign({ aud: 'okapi' })],
    ['for nobody', () => without('aud')],
    ['of another type', () => sign({ type: 'refresh' })],
    ['whose header says another type', () => sign({}, { typ: 'rt+jwt' })],
    ['whose header says JWT', () => sign({}, { typ: 'JWT' })],
    ['signed with another key', () => sign({}, {}, 'X9'.repeat(20))],
    ['signed with the key of refresh tokens', () => sign({}, {}, REFRESH_KEY)],
    ['signed by another algorithm', () => sign({}, { alg: 'HS512' }, ACCESS_KEY.repeat(2))],
    ['that is not signed', () => new UnsecuredJWT(claims()).encode()],
    [
      'whose algorithm is none but that has a signature',
      async () => `${none({ alg: 'none', typ: 'at+jwt' })}.${(await sign()).split('.')[1]}.AAAA`,
    ],
    [
      'with an extension that must be understood',
      async () =>
        `${none({ alg: 'HS256', typ: 'at+jwt', crit: ['x'], x: 1 })}.${(await sign()).split('.').slice(1).join('.')}`,
    ],
    ['that was altered', async () => (await sign()).replace(/\.(.)/, (_, first) => `.${first === 'e' ? 'f' : 'e'}`)],
    ['with half a signature', async () => (await sign()).slice(0, -20)],
    ['without an expiry', () => without('exp')],
    ['without a session', () => without('sid')],
    ['without a user', () => without('sub')],
    ['without an id', () => without('jti')],
    ['without roles', () => without('roles')],
    ['whose roles are no list', () => sign({ roles: 'admin' })],
    ['whose expiry is no number', () => sign({ exp: 'never' as never })],
    ['whose user is SQL', () => sign({ sub: "' or 1=1 --" })],
    ['whose session is no UUID', () => sign({ sid: '1' })],
    ['whose session is an object', () => sign({ sid: { $ne: null } })],
    ['of a session that never was', () => sign({ sid: randomUUID() })],
    ['of a user that never was', () => sign({ sub: randomUUID() })],
  ];
  for (const [what, make, code = 'auth.token_invalid'] of forged) {
    it(`is nobody with a token ${what}`, async () => {
      const answer = await me(bearer(await make()));
      expectProblem(answer, 401, code);
      expect(answer.headers.get('www-authenticate')).to.equal('Bearer error="invalid_token"');
      expect(answer.body.detail, 'the reason helps only who forged it').to.equal(
        'The access token is not valid, or its session has ended',
      );
    });
  }

  it('is nobody with a refresh token', async () =>
    expectProblem(await me(bearer(user.refreshToken)), 401, 'auth.token_invalid'));

  it('is nobody with a token in the query or a cookie', async () => {
    const token = await sign();
    expectProblem(await request(`${service.url}/api/users/me?access_token=${token}`), 401, 'auth.token_missing');
    expectProblem(await me({ Cookie: `access_token=${token}` }), 401, 'auth.token_missing');
  });

  it('is nobody from the moment on in which the session was ended', async () => {
    const other = await signIn(service.url);
    expect((await me(bearer(other.accessToken))).status).to.equal(200);
    await db.query('update sessions set revoked_at = now() where id = $1', [other.sessionId]);
    expectProblem(await me(bearer(other.accessToken)), 401, 'auth.token_invalid');
  });

  it('is nobody when the session is over, however long the token lives', async () => {
    const other = await signIn(service.url);
    await db.query(`update sessions set expires_at = now() - interval '1 second' where id = $1`, [other.sessionId]);
    expectProblem(await me(bearer(other.accessToken)), 401, 'auth.token_invalid');
  });

  it('is nobody when the account is gone', async () => {
    const other = await signIn(service.url);
    await db.query('delete from users where id = $1', [other.id]);
    expectProblem(await me(bearer(other.accessToken)), 401, 'auth.token_invalid');
  });

  it('is nobody with the session of somebody else', async () => {
    const other = await signIn(service.url);
    expectProblem(await me(bearer(await sign({ sid: other.sessionId }))), 401, 'auth.token_invalid');
  });

  it('has the roles of now, not those in the token', async () => {
    const answer = await me(bearer(await sign({ roles: ['user', 'admin'] })));
    expect(answer.body.data.roles).to.deep.equal(['user']);
  });

  describe('to a page of a list', () => {
    const page = (query: string, token = user.accessToken) =>
      request(`${service.url}/api/activity${query}`, { headers: bearer(token) });
    let cursor: string;

    before(async () => {
      const { email, password } = user;
      for (let n = 0; n < 3; n++) await post(`${service.url}/api/auth/login`, { email, password });
      const first = await eventually(async () => {
        const answer = await page('?limit=100');
        return answer.body.data.length === 5 && page('?limit=2');
      });
      cursor = first.body.meta.page.next_cursor;
    });

    it('comes each event once, newest first, and the last page says so', async () => {
      const seen: { id: string; at: string }[] = [];
      let next: string | null = '';
      while (next !== null) {
        const { body } = await page(`?limit=2${next === '' ? '' : `&cursor=${next}`}`);
        expect(body.meta.page.limit).to.equal(2);
        seen.push(...body.data);
        next = body.meta.page.next_cursor;
      }
      expect(new Set(seen.map(({ id }) => id)).size).to.equal(5);
      expect(seen.map(({ at }) => at)).to.deep.equal(
        seen
          .map(({ at }) => at)
          .sort()
          .reverse(),
      );
    });

    for (const [query, field, rule] of [
      ['limit=0', '/query/limit', 'minimum'],
      ['limit=101', '/query/limit', 'maximum'],
      ['limit=-1', '/query/limit', 'minimum'],
      ['limit=1.5', '/query/limit', 'type'],
      ['limit=abc', '/query/limit', 'type'],
      ['limit=', '/query/limit', 'type'],
      ['limit=1e1', '/query/limit', 'type'],
      ['limit=0x10', '/query/limit', 'type'],
      ['limit=%205', '/query/limit', 'type'],
      ['limit=NaN', '/query/limit', 'type'],
      ['limit=Infinity', '/query/limit', 'type'],
      ['limit=99999999999999999999', '/query/limit', 'maximum'],
      ['limit=1&limit=2', '/query/limit', 'type'],
      ['limit[$gt]=1', '/query/limit[$gt]', 'additionalProperties'],
      ['offset=1', '/query/offset', 'additionalProperties'],
      ['__proto__=1', '/query/__proto__', 'additionalProperties'],
      ['cursor=', '/query/cursor', 'minLength'],
      ['cursor=a&cursor=b', '/query/cursor', 'type'],
      [`cursor=${'a'.repeat(513)}`, '/query/cursor', 'maxLength'],
      ['cursor=abc', '/query/cursor', 'cursor'],
      ['cursor=%00', '/query/cursor', 'cursor'],
      [`cursor=${'A'.repeat(64)}`, '/query/cursor', 'cursor'],
      ['cursor=%zz', '/query/cursor', 'cursor'],
    ] as const) {
      it(`is refused with 422: ${query.slice(0, 40)}`, async () => {
        const answer = await page(`?${query}`);
        expectProblem(answer, 422, 'validation.failed');
        expect(answer.body.errors).to.have.lengthOf(1);
        expect(answer.body.errors[0]).to.include({ field, rule });
      });
    }

    it('hears of all problems at once', async () => {
      const answer = await page('?limit=0&cursor=&x=1');
      expectProblem(answer, 422, 'validation.failed');
      expect(answer.body.errors.map(({ field }: { field: string }) => field)).to.have.members([
        '/query/limit',
        '/query/cursor',
        '/query/x',
      ]);
    });

    it('is refused with a cursor in which one character was changed', async () => {
      for (const at of [0, 10, 30, cursor.length - 2]) {
        const altered = `${cursor.slice(0, at)}${cursor[at] === 'A' ? 'B' : 'A'}${cursor.slice(at + 1)}`;
        expectProblem(await page(`?cursor=${altered}`), 422, 'validation.failed');
      }
      for (const altered of [`${cursor}A`, `${cursor}=`, cursor.slice(0, -1), ` ${cursor}`]) {
        expectProblem(await page(`?cursor=${encodeURIComponent(altered)}`), 422, 'validation.failed');
      }
    });

    it('is refused with the cursor of somebody else', async () => {
      const other = await signIn(service.url);
      expectProblem(await page(`?cursor=${cursor}`, other.accessToken), 422, 'validation.failed');
      expect((await page(`?cursor=${cursor}`)).status, 'it is good for its owner').to.equal(200);
    });
  });

  it('has left no error in the log', async () => {
    await request(`${service.url}/`, { headers: { 'X-Request-ID': 'the-last-one' } });
    await eventually(() => service.logLines().some((line) => line['request_id'] === 'the-last-one'));
    expect(errorLines(service)).to.deep.equal([]);
    const written = JSON.stringify(service.logLines()) + service.stderr();
    expect(written, 'no token is in the log').to.not.match(/eyJ[\w-]+\.[\w-]+/);
  });
});

function none(header: object): string {
  return Buffer.from(JSON.stringify(header)).toString('base64url');
}
