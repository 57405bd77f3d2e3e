import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import pg from 'pg';
import { type Answer, freshCredentials, post, request } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { answersIn, errorLines, expectProblem } from '../support/problem.ts';
import { sendRaw } from '../support/raw-http.ts';
import { type Service, startService } from '../support/service.ts';

const LIMIT = 64 * 1024;
const GOOD = JSON.stringify({ email: 'nobody@example.org', password: 'correct horse battery' });
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('a body that cannot be taken', () => {
  let service: Service;
  let register: string;
  before(async () => {
    service = await startService({ env: { BODY_LIMIT: '64kb' } });
    register = `${service.url}/api/auth/register`;
  });
  after(() => service.stop());

  const send = (body: NonNullable<RequestInit['body']> | null, headers: Record<string, string> = {}): Promise<Answer> =>
    request(register, { method: 'POST', body, headers: { ...JSON_TYPE, ...headers } });
  const sendJson = (value: unknown) => send(JSON.stringify(value));
  const problemsOf = ({ body }: Answer) =>
    Object.fromEntries(body.errors.map(({ field, rule }: { field: string; rule: string }) => [field, rule]));

  for (const [what, body] of [
    ['malformed', '{"email":'],
    ['two values', '{}{}'],
    ['a trailing comma', '{"email":"a",}'],
    ['cut off in a text', GOOD.slice(0, -3)],
    ['single quotes', "{'email':'a'}"],
    ['only spaces', '   '],
    ['null', 'null'],
    ['a number', '12'],
    ['a text', '"x"'],
    ['true', 'true'],
    ['not JSON at all', '<xml/>'],
    ['not UTF-8', Buffer.from('{"email":"caf\u00e9"}', 'latin1')],
    ['cut off in a character', Buffer.from('{"email":"\u00e9"}').fill('"', 11, 12)],
    ['UTF-16', Buffer.from(GOOD, 'utf16le')],
  ] as const) {
    it(`is refused with 400: ${what}`, async () => expectProblem(await send(body), 400, 'request.malformed_json'));
  }

  it('is refused with 400 where a field is named __proto__, at any depth', async () => {
    for (const body of ['{"__proto__":{"admin":true}}', '{"email":{"__proto__":1}}', '{"\\u005f_proto__":1}']) {
      expectProblem(await send(body), 400, 'request.forbidden_field');
    }
  });

  for (const [what, body, encoding] of [
    ['gzip', GOOD, 'gzip'],
    ['deflate', GOOD, 'deflate'],
    ['brotli', 'zzzz', 'br'],
    ['gzip, and is cut off', gzipSync(GOOD).subarray(0, 30), 'gzip'],
    ['gzip, and is one byte off', gzipSync(GOOD).fill(0xff, 14, 18), 'gzip'],
  ] as const) {
    it(`is refused with 400 when it is not what it claims to be: ${what}`, async () => {
      expectProblem(await send(body, { 'Content-Encoding': encoding }), 400, 'request.bad_encoding');
    });
  }

  for (const encoding of ['zstd', 'compress', 'gzip, gzip', 'identity, gzip', 'aws-chunked']) {
    it(`is refused with 415 in the encoding ${encoding}, and told which are taken`, async () => {
      const answer = await send(GOOD, { 'Content-Encoding': encoding });
      expectProblem(answer, 415, 'http.unsupported_media_type');
      expect(answer.headers.get('accept-encoding')).to.equal('identity, gzip, deflate, br');
    });
  }

  for (const [encoding, pack] of [
    ['gzip', gzipSync],
    ['GZIP', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const) {
    it(`is taken when it really is ${encoding}`, async () => {
      const body = pack(JSON.stringify(freshCredentials()));
      expect((await send(body, { 'Content-Encoding': encoding })).status).to.equal(201);
    });
  }

  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/vnd.api+json',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'application/json, text/plain',
    'application/jsonp',
    '',
  ]) {
    it(`is refused with 415 as ${type || 'no type at all'}`, async () => {
      const answer = await send(GOOD, { 'Content-Type': type });
      expectProblem(answer, 415, 'http.unsupported_media_type');
      expect(answer.body.detail).to.contain('application/json');
    });
  }

  for (const type of ['APPLICATION/JSON', 'application/json;charset=UTF-8', 'application/json; charset="utf-8"']) {
    it(`is taken as ${type}`, async () => {
      const answer = await send(JSON.stringify(freshCredentials()), { 'Content-Type': type });
      expect(answer.status).to.equal(201);
    });
  }

  describe('and is over BODY_LIMIT', () => {
    const large = JSON.stringify({ email: 'a@example.org', password: 'x'.repeat(LIMIT) });
    const bombs = [
      ['gzip', gzipSync(Buffer.alloc(32 * LIMIT * 8, ' '))],
      ['br', brotliCompressSync(Buffer.alloc(32 * LIMIT, ' '))],
    ] as const;

    it('is refused with 413, with a length or in chunks', async () => {
      expectProblem(await send(large), 413, 'http.payload_too_large');
      const chunked = await request(register, {
        method: 'POST',
        headers: JSON_TYPE,
        body: new Blob([large]).stream(),
        duplex: 'half',
      } as RequestInit);
      expectProblem(chunked, 413, 'http.payload_too_large');
    });

    it('is refused by its length alone, before it is sent', async () => {
      const head = `POST /api/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n`;
      const [answer] = answersIn(await sendRaw(service.url, head));
      expectProblem(answer as Answer, 413, 'http.payload_too_large');
      expect(answer?.headers.get('connection')).to.equal('close');
    });

    for (const [encoding, bomb] of bombs) {
      it(`is refused with 413 when it only grows to that when unpacked: ${encoding}`, async () => {
        expect(bomb.length).to.be.below(LIMIT);
        expectProblem(await send(bomb, { 'Content-Encoding': encoding }), 413, 'http.payload_too_large');
      });
    }

    it('is unpacked only until it is over, so that nobody sees what is damaged after that', async () => {
      const [[encoding, bomb]] = bombs;
      const damaged = Buffer.concat([bomb.subarray(0, bomb.length / 2), Buffer.alloc(bomb.length / 2, 0xff)]);
      expectProblem(await send(damaged, { 'Content-Encoding': encoding }), 413, 'http.payload_too_large');
    });

    it('is taken at exactly the limit', async () => {
      const { email, password } = freshCredentials();
      const body = JSON.stringify({ email, password });
      expect((await send(body + ' '.repeat(LIMIT - body.length))).status).to.equal(201);
      expect((await send(body + ' '.repeat(LIMIT - body.length + 1))).status).to.equal(413);
    });
  });

  describe('and does not fit the schema', () => {
    it('is told every problem at once', async () => {
      const answer = await sendJson({ email: 1, extra: true, 'a/b~c': 1 });
      expectProblem(answer, 422, 'validation.failed');
      expect(problemsOf(answer)).to.deep.equal({
        '/body/email': 'type',
        '/body/password': 'required',
        '/body/extra': 'additionalProperties',
        '/body/a~1b~0c': 'additionalProperties',
      });
    });

    it('is told what is missing when there is nothing', async () => {
      for (const answer of [await sendJson({}), await send(null), await send('')]) {
        expectProblem(answer, 422, 'validation.failed');
        expect(problemsOf(answer)).to.deep.equal({ '/body/email': 'required', '/body/password': 'required' });
      }
    });

    for (const [what, value] of [
      ['an array', []],
      ['an array of bodies', [JSON.parse(GOOD)]],
    ] as const) {
      it(`is told that it must be an object: ${what}`, async () => {
        const answer = await sendJson(value);
        expectProblem(answer, 422, 'validation.failed');
        expect(answer.body.errors).to.deep.equal([
          { field: '/body', message: 'must be object', rule: 'type', allowed: 'object' },
        ]);
      });
    }

    it('is told that fields of the language are no fields of ours', async () => {
      const answer = await sendJson({ ...JSON.parse(GOOD), constructor: { prototype: { admin: true } }, toString: 1 });
      expectProblem(answer, 422, 'validation.failed');
      expect(problemsOf(answer)).to.have.all.keys('/body/constructor', '/body/toString');
    });

    it('is told that an operator is no text', async () => {
      for (const operator of [{ $gt: '' }, { $ne: null }, ['a@example.org'], null, true]) {
        const answer = await sendJson({ email: operator, password: operator });
        expectProblem(answer, 422, 'validation.failed');
        expect(problemsOf(answer)).to.deep.equal({ '/body/email': 'type', '/body/password': 'type' });
        const login = await post(`${service.url}/api/auth/login`, { email: operator, password: operator });
        expectProblem(login, 422, 'validation.failed');
      }
    });

    it('hears of at most fifty problems', async () => {
      const answer = await sendJson(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${n}`, n])));
      expectProblem(answer, 422, 'validation.failed');
      expect(answer.body.errors).to.have.lengthOf(50);
    });

    it('cannot make the answer large, or the service busy, by its depth', async () => {
      const answer = await send(`{"email":${'['.repeat(20_000)}${']'.repeat(20_000)},"${'k'.repeat(20_000)}":1}`);
      expectProblem(answer, 422, 'validation.failed');
      expect(answer.text.length).to.be.below(2000);
    });
  });

  describe('and holds an address or a password that is none', () => {
    for (const [what, email] of [
      ['no domain', 'person'],
      ['a newline', 'person@example.org\nBcc: x@evil.example'],
      ['a space in front', ' person@example.org'],
      ['a space behind', 'person@example.org '],
      ['a null', 'per\u0000son@example.org'],
      ['255 characters', `person@${`${'d'.repeat(60)}.`.repeat(4)}example`.padEnd(255, 'x')],
      ['1,000 characters', `${'x'.repeat(988)}@example.org`],
      ['a Cyrillic letter in the name', 'реrson@example.org'],
      ['a zero-width space', 'per\u200bson@example.org'],
      ['a right-to-left override', 'per\u202eson@example.org'],
      ['half a surrogate pair', 'per\ud800son@example.org'],
      ['two @', 'a@b@example.org'],
      ['quotes', '"a b"@example.org'],
      ['an address of a machine', 'person@127.0.0.1'],
      ['SQL', "x'; drop table users; --@example.org"],
    ] as const) {
      it(`is refused with 422: ${what}`, async () => {
        const answer = await sendJson({ email, password: 'correct horse battery' });
        expectProblem(answer, 422, 'validation.failed');
        expect(answer.body.errors).to.have.lengthOf(1);
        expect(answer.body.errors[0]).to.include({ field: '/body/email', rule: 'email' });
      });
    }

    for (const [what, password, rule] of [
      ['too short', 'short', 'minLength'],
      ['14 characters', 'x'.repeat(14), 'minLength'],
      ['14 characters of two units each', '😀'.repeat(14), 'minLength'],
      ['129 characters', 'x'.repeat(129), 'maxLength'],
      ['5,000 characters', 'x'.repeat(5000), 'maxLength'],
    ] as const) {
      it(`is refused with 422, and never shown: ${what}`, async () => {
        const answer = await sendJson({ email: 'person@example.org', password });
        expectProblem(answer, 422, 'validation.failed');
        expect(answer.body.errors).to.have.lengthOf(1);
        expect(answer.body.errors[0]).to.include({ field: '/body/password', rule });
        expect(answer.text).to.not.contain(password);
      });
    }

    it('hears of both at once', async () => {
      expect(problemsOf(await sendJson({ email: 'x', password: 'x' }))).to.deep.equal({
        '/body/email': 'email',
        '/body/password': 'minLength',
      });
    });

    it('is the same 401 at sign-in, whatever the address is', async () => {
      const answers = [];
      for (const email of ['x', 'nobody@example.org', "' or 1=1 --", 'a\u0000@b.org', '\ud800@b.org']) {
        const answer = await post(`${service.url}/api/auth/login`, { email, password: "' or ''='" });
        expectProblem(answer, 401, 'auth.invalid_credentials');
        answers.push({ ...answer.body, meta: undefined });
      }
      for (const answer of answers) expect(answer).to.deep.equal(answers[0]);
    });
  });

  it('is taken with a password of 128 characters and with one of other scripts', async () => {
    for (const password of ['kxqzwvjh'.repeat(16), 'пароль-длинный-🔑🔑', "'; drop table users; --"]) {
      const { email } = freshCredentials();
      expect((await sendJson({ email, password })).status).to.equal(201);
      expect((await post(`${service.url}/api/auth/login`, { email, password })).status).to.equal(200);
    }
  });

  it('has left nothing behind: no account, no error in the log, and the process is the same', async () => {
    const client = new pg.Client({ connectionString: service.stores.databaseUrl });
    await client.connect();
    const { rows } = await client.query("select email from users where email not like 'person%'");
    await client.end();
    expect(rows).to.deep.equal([]);
    const answer = await request(`${service.url}/`, { headers: { 'X-Request-ID': 'the-last-one' } });
    expect(answer.status).to.equal(200);
    await eventually(() => service.logLines().some((line) => line['request_id'] === 'the-last-one'));
    expect(errorLines(service)).to.deep.equal([]);
    expect(service.logLines('error')).to.deep.equal([]);
    expect(service.process.exitCode).to.equal(null);
  });
});
