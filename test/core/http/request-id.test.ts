import { expect } from 'chai';
import fc from 'fast-check';
import { requestIdFor } from '../../../src/core/http/request-id.ts';
import { answersIn } from '../../support/problem.ts';
import { sendRaw } from '../../support/raw-http.ts';
import { get, serve, type TestApp } from './harness.ts';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the request id', () => {
  for (const given of ['a', 'req-1', '!~', 'x'.repeat(128), '{"a":1}', '../../etc/passwd']) {
    it(`is the caller's: ${given.slice(0, 20)}`, () => expect(requestIdFor(given)).to.equal(given));
  }

  for (const [what, given] of [
    ['none was sent', undefined],
    ['it is empty', ''],
    ['it is over 128 characters', 'x'.repeat(129)],
    ['it has a space', 'a b'],
    ['it has a control character', 'a\u001b[31m'],
    ['it ends in a newline', 'abc\n'],
    ['it is not ASCII', 'é'],
    ['it was sent twice', ['a', 'b']],
  ] as const) {
    it(`is a fresh UUID when ${what}`, () => {
      const id = requestIdFor(given as string | string[] | undefined);
      expect(id)
        .to.match(UUID_V4)
        .and.not.equal(requestIdFor(given as string | undefined));
    });
  }

  it('is 1 to 128 visible ASCII characters whatever was sent', () => {
    const property = fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ maxLength: 200 })), (given) => {
      const id = requestIdFor(given);
      expect(id).to.match(/^[\x21-\x7e]{1,128}$/);
      expect(requestIdFor(id), 'and is kept by the next service').to.equal(id);
    });
    fc.assert(property, { numRuns: 1_000 });
  });
});

describe('a request id on the wire', () => {
  let app: TestApp;
  before(async () => {
    app = await serve({ routes: [get('/ok', (ctx) => ctx.respond.success({}))] });
  });
  after(() => app.close());

  async function send(lines: string) {
    const bytes = Buffer.from(`GET /api/ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n\r\n`, 'latin1');
    const [answer, ...more] = answersIn(await sendRaw(app.url, bytes));
    if (answer === undefined) throw new Error('No answer');
    expect(more).to.deep.equal([]);
    expect(answer.body.meta.request_id).to.equal(answer.headers.get('x-request-id'));
    return answer;
  }

  for (const id of ['"quoted\\', "'; drop table users; --", '<script>alert(1)</script>', '%0d%0aSet-Cookie:x=1']) {
    it(`comes back as it is, in the header and as JSON: ${id}`, async () => {
      const sent = id.replaceAll(' ', '_');
      expect((await send(`X-Request-ID: ${sent}`)).headers.get('x-request-id')).to.equal(sent);
    });
  }

  for (const [what, lines] of [
    ['two of them', 'X-Request-ID: a\r\nX-Request-ID: b'],
    ['a tab', 'X-Request-ID: a\tb'],
    ['bytes beyond ASCII', 'X-Request-ID: a\u00e9\u0085b'],
    ['nothing', 'X-Request-ID:'],
    ['too much', `X-Request-ID: ${'a'.repeat(129)}`],
  ] as const) {
    it(`is a fresh one for ${what}`, async () => {
      expect((await send(lines)).headers.get('x-request-id')).to.match(UUID_V4);
    });
  }

  for (const [what, lines] of [
    ['a line break of the old kind', 'X-Request-ID: a\nSet-Cookie: stolen=1'],
    ['half a line break', 'X-Request-ID: a\rSet-Cookie: stolen=1'],
    ['a folded line', 'X-Request-ID: a\r\n Set-Cookie: stolen=1'],
    ['a NUL', 'X-Request-ID: a\u0000b'],
  ] as const) {
    it(`sets no header of the answer by ${what}`, async () => {
      const answer = await send(lines);
      expect(answer.headers.has('set-cookie')).to.equal(false);
      expect(answer.headers.get('x-request-id')).to.match(UUID_V4);
    });
  }
});
