import { Readable } from 'node:stream';
import { expect } from 'chai';
import createError from 'http-errors';
import {
  AppHttpError,
  BadRequestError,
  ConflictError,
  ForbiddenError,
  MethodNotAllowedError,
  NotFoundError,
  PayloadTooLargeError,
  ServiceUnavailableError,
  UnauthorizedError,
  UnsupportedMediaTypeError,
  ValidationError,
} from '../../../src/core/errors/app-http-error.ts';
import type { RouteContext } from '../../../src/core/http/route.ts';
import { stopLogger } from '../../../src/core/logging/index.ts';
import type { ServerSpan } from '../../../src/core/telemetry/spans/server-span.ts';
import { setTracing } from '../../../src/core/telemetry/spans/tracing.ts';
import { request } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { sendRaw } from '../../support/raw-http.ts';
import { type FakeConsole, start as startLogging } from '../logging/harness.ts';
import { collectSpans, errorsOf, get, head, requestsOf, serve, type TestApp } from './harness.ts';

const SECRET = 'relation "users_secret" does not exist';

/** An error as another copy of http-errors makes it: no class of ours, only its properties. */
function foreign(properties: object): Error {
  return Object.assign(new Error('From another copy'), properties);
}

class Unprintable {
  toString(): string {
    throw new Error('no text form');
  }
}

const circular: Record<string, unknown> = {};
circular['self'] = circular;

/** What handlers throw, and what it is answered with. */
const THROWN: readonly [name: string, make: () => unknown, status: number, code: string, counted: string][] = [
  [
    'AppHttpError',
    () => new AppHttpError(418, 'Short', { code: 'tea.pot', title: 'Teapot' }),
    418,
    'tea.pot',
    'AppHttpError',
  ],
  ['BadRequestError', () => new BadRequestError('No'), 400, 'http.bad_request', 'BadRequestError'],
  ['UnauthorizedError', () => new UnauthorizedError('No'), 401, 'http.unauthorized', 'UnauthorizedError'],
  ['ForbiddenError', () => new ForbiddenError('No'), 403, 'http.forbidden', 'ForbiddenError'],
  ['NotFoundError', () => new NotFoundError('No'), 404, 'http.not_found', 'NotFoundError'],
  [
    'MethodNotAllowedError',
    () => new MethodNotAllowedError('No'),
    405,
    'http.method_not_allowed',
    'MethodNotAllowedError',
  ],
  ['ConflictError', () => new ConflictError('No'), 409, 'http.conflict', 'ConflictError'],
  ['PayloadTooLargeError', () => new PayloadTooLargeError('No'), 413, 'http.payload_too_large', 'PayloadTooLargeError'],
  [
    'UnsupportedMediaTypeError',
    () => new UnsupportedMediaTypeError('No'),
    415,
    'http.unsupported_media_type',
    'UnsupportedMediaTypeError',
  ],
  [
    'ValidationError',
    () => new ValidationError([{ field: '/body/a', message: 'is missing', rule: 'required' }]),
    422,
    'validation.failed',
    'ValidationError',
  ],
  [
    'ServiceUnavailableError',
    () => new ServiceUnavailableError('Later'),
    503,
    'http.service_unavailable',
    'ServiceUnavailableError',
  ],
  ['an exposed http-errors', () => createError(402, 'Pay first'), 402, 'http.payment_required', 'Error'],
  ['an exposed error of another copy', () => foreign({ status: 410, expose: true }), 410, 'http.gone', 'Error'],
  ['a hidden http-errors', () => createError(400, SECRET, { expose: false }), 500, 'internal.error', 'Error'],
  ['an http-errors of a 500', () => createError(500, SECRET), 500, 'internal.error', 'Error'],
  ['an exposed status that is no error', () => foreign({ status: 200, expose: true }), 500, 'internal.error', 'Error'],
  [
    'an exposed status that is no number',
    () => foreign({ status: '404', expose: true }),
    500,
    'internal.error',
    'Error',
  ],
  ['a TypeError', () => new TypeError(SECRET), 500, 'internal.error', 'TypeError'],
  [
    'an Error with causes',
    () => new Error(SECRET, { cause: new RangeError(SECRET, { cause: SECRET }) }),
    500,
    'internal.error',
    'Error',
  ],
  [
    'an Error that is its own cause',
    () => ((error) => Object.assign(error, { cause: error }))(new Error(SECRET)),
    500,
    'internal.error',
    'Error',
  ],
  ['an AggregateError', () => new AggregateError([new Error(SECRET)], SECRET), 500, 'internal.error', 'AggregateError'],
  [
    'an error class of a domain',
    () => Object.assign(new Error(SECRET), { name: 'AClassThatNobodyDeclared' }),
    500,
    'internal.error',
    'Error',
  ],
  ['null', () => null, 500, 'internal.error', 'Error'],
  ['undefined', () => undefined, 500, 'internal.error', 'Error'],
  ['a string', () => SECRET, 500, 'internal.error', 'Error'],
  ['a frozen object', () => Object.freeze({ message: SECRET }), 500, 'internal.error', 'Error'],
  ['a frozen error', () => Object.freeze(new Error(SECRET)), 500, 'internal.error', 'Error'],
  ['an object without a prototype', () => Object.create(null), 500, 'internal.error', 'Error'],
  ['an object that cannot be printed', () => new Unprintable(), 500, 'internal.error', 'Error'],
  ['a symbol', () => Symbol('x'), 500, 'internal.error', 'Error'],
  [
    'headers that no header can hold',
    () => new NotFoundError('No', { headers: { 'X-A': 'a\nb' } }),
    500,
    'internal.error',
    'TypeError',
  ],
];

describe('whatever a handler throws', () => {
  let app: TestApp;
  let spans: ServerSpan[];
  let console: FakeConsole;
  const routes = THROWN.map(([, make], index) =>
    get(`/thrown/${index}`, (ctx: RouteContext) => {
      ctx.set({ 'Cache-Control': 'public, max-age=60', ETag: '"1"', 'Set-Cookie': 'a=b', 'X-Internal': SECRET });
      throw make();
    }),
  );

  before(async () => {
    await stopLogger();
    ({ console } = startLogging({ files: false }));
    spans = collectSpans();
    app = await serve({ routes });
  });
  after(async () => {
    await app.close();
    setTracing();
    await stopLogger();
  });

  for (const [index, [name, , status, code, counted]] of THROWN.entries()) {
    const template = `/api/thrown/${index}`;

    it(`${name} is answered with ${status} ${code}, in the envelope`, async () => {
      const { headers, body, ...answer } = await request(`${app.url}${template}?secret=1`);
      expect(answer.status).to.equal(status);
      expect(headers.get('content-type')).to.equal('application/problem+json; charset=utf-8');
      expect(body).to.include({ type: `https://httpstatuses.io/${status}`, status, code, instance: template });
      expect(body.title).to.be.a('string').and.not.equal('');
      expect(body.meta).to.have.all.keys('timestamp', 'success', 'request_id', 'trace_id');
      expect(body.meta).to.include({ success: false, request_id: headers.get('x-request-id') });
    });

    it(`${name} keeps nothing of what the handler had set, and may not be stored`, async () => {
      const { headers } = await request(`${app.url}${template}`);
      expect(headers.get('cache-control')).to.equal('no-store');
      for (const gone of ['etag', 'set-cookie', 'x-internal', 'x-a']) expect(headers.has(gone), gone).to.equal(false);
      for (const kept of [
        'x-request-id',
        'traceresponse',
        'server-timing',
        'access-control-allow-origin',
        'x-frame-options',
      ]) {
        expect(headers.has(kept), kept).to.equal(true);
      }
    });

    it(`${name} has no body when it was asked for by HEAD`, async () => {
      const { text, ...answer } = await head(`${app.url}${template}`);
      expect({ status: answer.status, text }).to.deep.equal({ status, text: '' });
    });

    it(`${name} is counted once a request, as ${counted}`, () => {
      expect(errorsOf(template)).to.deep.equal({ [counted]: 3 });
      expect(requestsOf(template)).to.deep.equal({ [`GET ${status}`]: 2, [`HEAD ${status}`]: 1 });
    });

    it(`${name} is ${status >= 500 ? '' : 'not '}an exception on the span`, () => {
      const mine = spans.filter(({ facts }) => facts?.route === template);
      const events = mine.map((span) => span.events?.map((event) => event.name) ?? []);
      expect(events).to.deep.equal(Array(3).fill(status >= 500 ? ['exception'] : []));
    });
  }

  it('a 500 is logged once a request, at ERROR and with what was thrown; nothing else is', async () => {
    const linesOf = (template: string) => console.lines.filter(({ message }) => message.includes(`${template} `));
    const last = `/api/thrown/${THROWN.length - 1}`;
    await eventually(() => linesOf(last).length === 3, { timeoutMs: 2000 });
    for (const [index, [name, , status]] of THROWN.entries()) {
      const lines = linesOf(`/api/thrown/${index}`);
      expect(
        lines.map(({ level }) => level),
        name,
      ).to.deep.equal(status === 500 ? Array(3).fill('ERROR') : []);
      for (const line of lines) expect(line.exception?.type, name).to.be.a('string');
    }
  });

  it('a 500 says nothing of what happened', async () => {
    for (const [index, [, , status]] of THROWN.entries()) {
      if (status !== 500) continue;
      const { text, body } = await request(`${app.url}/api/thrown/${index}`);
      expect(text).to.not.match(/users_secret|\.ts:|at Object|cause|stack/);
      expect(body).to.include({ title: 'Internal Server Error' }).and.not.have.any.keys('detail', 'errors');
    }
  });

  it('a 401 says how to sign in, a 503 when to come back', async () => {
    const of = (name: string) => `${app.url}/api/thrown/${THROWN.findIndex(([each]) => each === name)}`;
    expect((await request(of('UnauthorizedError'))).headers.get('www-authenticate')).to.equal('Bearer');
    expect((await request(of('ServiceUnavailableError'))).headers.get('retry-after')).to.equal('1');
  });
});

describe('an answer that fails after its handler is done', () => {
  let app: TestApp;
  let console: FakeConsole;
  let hold = Promise.withResolvers<void>();

  async function* failing(beforehand: string) {
    if (beforehand !== '') yield beforehand;
    throw new Error(SECRET);
  }

  before(async () => {
    await stopLogger();
    ({ console } = startLogging({ files: false }));
    app = await serve({
      routes: [
        get('/late/bigint', (ctx) => ctx.respond.success({ n: 1n })),
        get('/late/loop', (ctx) => ctx.respond.success(circular)),
        get('/late/unserializable-errors', () => {
          throw new BadRequestError('No', { errors: { n: 1n, f: () => 1, circular }, metaExtensions: { n: 1n } });
        }),
        get('/late/nothing', () => undefined),
        get('/late/stream-whole', (ctx) => {
          ctx.body = Readable.from(['one ', 'two']);
        }),
        get('/late/stream-empty', (ctx) => {
          ctx.body = Readable.from([]);
        }),
        get('/late/stream-at-once', (ctx) => {
          ctx.body = Readable.from(failing(''));
        }),
        get('/late/stream-half-way', (ctx) => {
          ctx.body = Readable.from(failing('half of it'));
        }),
        get('/late/headers-sent', async (ctx) => {
          ctx.res.writeHead(200).write('half of it');
          throw new Error(SECRET);
        }),
        get('/late/endless', async (ctx) => {
          ctx.body = Readable.from(
            (async function* endless() {
              yield 'first';
              await hold.promise;
              yield 'second';
            })(),
          );
        }),
      ],
    });
  });
  after(async () => {
    await app.close();
    await stopLogger();
  });
  const errorLines = (template: string) =>
    console.lines.filter(({ level, message }) => level === 'ERROR' && message.includes(template));
  const oneErrorLine = (template: string) => eventually(() => errorLines(template).length === 1, { timeoutMs: 2000 });

  for (const what of ['bigint', 'loop', 'stream-at-once']) {
    it(`is a 500 that is logged once: ${what}`, async () => {
      const { status, text, body, headers } = await request(`${app.url}/api/late/${what}`);
      expect(status).to.equal(500);
      expect(body).to.include({ code: 'internal.error', title: 'Internal Server Error' });
      expect(text).to.not.match(/BigInt|circular|users_secret/);
      expect(headers.get('cache-control')).to.equal('no-store');
      await oneErrorLine(`/api/late/${what}`);
      expect(errorsOf(`/api/late/${what}`)).to.have.all.keys(what === 'stream-at-once' ? 'Error' : 'TypeError');
    });
  }

  it('is a 404 in the envelope when the handler forgot to answer', async () => {
    const { status, body } = await request(`${app.url}/api/late/nothing`);
    expect({ status, code: body.code }).to.deep.equal({ status: 404, code: 'http.not_found' });
  });

  it('is the whole stream when nothing fails, also when it has nothing to give', async () => {
    expect((await request(`${app.url}/api/late/stream-whole`)).text).to.equal('one two');
    const { status, text } = await request(`${app.url}/api/late/stream-empty`);
    expect({ status, text }).to.deep.equal({ status: 200, text: '' });
  });

  it('is the error that was thrown, even where its own details cannot be serialized', async () => {
    const { status, body } = await request(`${app.url}/api/late/unserializable-errors`);
    expect({ status, detail: body.detail }).to.deep.equal({ status: 400, detail: 'No' });
  });

  for (const what of ['stream-half-way', 'headers-sent']) {
    it(`closes the connection, since the answer is not whole: ${what}`, async () => {
      const answer = await sendRaw(app.url, `GET /api/late/${what} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(answer)
        .to.match(/^HTTP\/1\.1 200 OK/)
        .and.contain('half of it');
      expect(answer, 'no end of the chunks').to.not.contain('\r\n0\r\n');
      expect(answer).to.not.contain('internal.error').and.not.contain('users_secret');
      await oneErrorLine(`/api/late/${what}`);
      const entry = await eventually(() => app.access.find(({ route }) => route === `/api/late/${what}`), {
        timeoutMs: 1000,
      });
      expect(entry.status, 'the fault is ours, not the client gone').to.equal(500);
      expect(errorsOf(`/api/late/${what}`)).to.deep.equal({ Error: 1 });
      expect(requestsOf(`/api/late/${what}`)).to.deep.equal({ 'GET 500': 1 });
    });
  }

  it('is a 499 in the access log, and no error, when the client has gone meanwhile', async () => {
    const stop = new AbortController();
    const answer = await fetch(`${app.url}/api/late/endless`, { signal: stop.signal });
    const reader = answer.body?.getReader();
    await reader?.read();
    stop.abort();
    const entry = await eventually(() => app.access.find(({ route }) => route === '/api/late/endless'), {
      timeoutMs: 2000,
    });
    hold.resolve();
    hold = Promise.withResolvers();
    expect(entry.status).to.equal(499);
    expect(errorLines('/api/late/endless')).to.deep.equal([]);
    expect(errorsOf('/api/late/endless')).to.deep.equal({});
    expect(requestsOf('/api/late/endless')).to.deep.equal({ 'GET 499': 1 });
  });
});
