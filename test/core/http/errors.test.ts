import { Readable, Stream } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { SpanStatusCode } from '@opentelemetry/api';
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

/** A class of a domain, under a name that no metric may show. */
class TakenError extends ConflictError {
  override name = 'TakenError';
}

function refuse(): never {
  throw new Error('not to be looked at');
}

/** Throws whatever is asked of it. */
function untouchable(): object {
  return new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse });
}

/** An error all of whose properties throw. */
function unreadable(): Error {
  const properties = ['name', 'message', 'stack', 'cause', 'status', 'expose', 'errors', 'code'];
  return Object.defineProperties(new Error(), Object.fromEntries(properties.map((name) => [name, { get: refuse }])));
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
  ['an AppHttpError of a domain', () => new TakenError('No', { code: 'x.taken' }), 409, 'x.taken', 'ConflictError'],
  [
    'an AppHttpError whose name is no text',
    () => Object.assign(new NotFoundError('No'), { name: Symbol('x') }),
    404,
    'http.not_found',
    'NotFoundError',
  ],
  ['an exposed error by statusCode', () => foreign({ statusCode: 409, expose: true }), 409, 'http.conflict', 'Error'],
  [
    'an Error whose name is no text',
    () => Object.assign(new RangeError(SECRET), { name: { toString: refuse } }),
    500,
    'internal.error',
    'RangeError',
  ],
  ['an Error that cannot be read', unreadable, 500, 'internal.error', 'Error'],
  ['a TypeError of another realm', () => runInNewContext('new TypeError("x")'), 500, 'internal.error', 'Error'],
  ['a proxy that cannot be looked at', untouchable, 500, 'internal.error', 'Error'],
  ['a megabyte of text', () => 'x'.repeat(1_000_000), 500, 'internal.error', 'Error'],
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
    const toUser = get('/thrown-to-user', () => {
      throw new Error(SECRET);
    });
    app = await serve({
      routes: [...routes, { ...toUser, authenticated: true }],
      authenticate: (ctx, next) => {
        ctx.state.carrier.userId = 'user-1';
        return next();
      },
    });
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

    it(`${name} is an exception on the span, ${status >= 500 ? 'which is an error' : 'which is none'}`, () => {
      const mine = spans.filter(({ facts }) => facts?.route === template);
      const events = mine.map((span) => span.events?.map((event) => event.name) ?? []);
      expect(events).to.deep.equal(Array(3).fill(['exception']));
      const expected = status >= 500 ? SpanStatusCode.ERROR : SpanStatusCode.UNSET;
      expect(mine.map((span) => span.status.code)).to.deep.equal(Array(3).fill(expected));
      expect(mine.map((span) => span.attributes?.['okapi.error.code'])).to.deep.equal(Array(3).fill(code));
    });
  }

  it('a 500 is logged once a request, at ERROR and with what was thrown; nothing else is', async () => {
    const linesOf = (template: string) => console.lines.filter(({ message }) => message.includes(`${template} `));
    const last = `/api/thrown/${THROWN.length - 1}`;
    await eventually(() => linesOf(last).length === 3);
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

  it('a 500 of a signed-in user says who it was, on its own line and on the access line', async () => {
    const { body } = await request(`${app.url}/api/thrown-to-user`);
    const { request_id: id } = body.meta;
    const line = await eventually(() => console.lines.find((each) => each['request_id'] === id));
    expect(line).to.include({ level: 'ERROR', user_id: 'user-1', trace_id: body.meta.trace_id });
    expect(app.access.find(({ requestId }) => requestId === id)).to.include({ userId: 'user-1', status: 500 });
  });

  it('a 500 tells the span its causes, as it tells the log', () => {
    const index = THROWN.findIndex(([name]) => name === 'an Error with causes');
    const span = spans.find(({ facts }) => facts?.route === `/api/thrown/${index}`);
    const { 'exception.type': type, 'exception.stacktrace': stack } = span?.events?.[0]?.attributes ?? {};
    expect(type).to.equal('Error');
    expect(String(stack).match(/^(Error|Caused by): .*/gm)).to.deep.equal([
      `Error: ${SECRET}`,
      `Caused by: RangeError: ${SECRET}`,
      `Caused by: string: ${SECRET}`,
    ]);
  });

  it('a 401 says how to sign in, a 503 when to come back', async () => {
    const of = (name: string) => `${app.url}/api/thrown/${THROWN.findIndex(([each]) => each === name)}`;
    expect((await request(of('UnauthorizedError'))).headers.get('www-authenticate')).to.equal('Bearer');
    expect((await request(of('ServiceUnavailableError'))).headers.get('retry-after')).to.equal('1');
  });
});

/** A stream as Node had them first, and as some libraries still have them. */
function oldStream(error: Error, { res }: RouteContext): Stream {
  const stream = Object.assign(new Stream(), { readable: true, pause: () => undefined, resume: () => undefined });
  setImmediate(() => {
    stream.emit('data', Buffer.from('half of it'));
    void eventually(() => res.headersSent).then(() => stream.emit('error', error));
  });
  return stream;
}

describe('an answer that fails after its handler is done', () => {
  let app: TestApp;
  let console: FakeConsole;
  let hold = Promise.withResolvers<void>();

  /** Gives a part and fails: when the client has heard of it where `ctx` is given, else right away. */
  async function* failing(part: string, ctx?: RouteContext) {
    if (part !== '') yield Buffer.from(part);
    if (ctx !== undefined) await eventually(() => ctx.res.headersSent);
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
        get('/late/web-stream-soon', (ctx) => {
          ctx.body = ReadableStream.from(failing('half of it'));
        }),
        get('/late/stream-half-way', (ctx) => {
          ctx.body = Readable.from(failing('half of it', ctx));
        }),
        get('/late/web-stream-whole', (ctx) => {
          ctx.set('Content-Length', '7');
          ctx.body = ReadableStream.from(['one ', 'two'].map((text) => Buffer.from(text)));
        }),
        get('/late/web-stream-at-once', (ctx) => {
          ctx.body = ReadableStream.from(failing(''));
        }),
        get('/late/web-stream-half-way', (ctx) => {
          ctx.body = ReadableStream.from(failing('half of it', ctx));
        }),
        get('/late/response-whole', (ctx) => {
          ctx.body = new Response('one two', { status: 203, headers: { 'X-Own': '1' } });
        }),
        get('/late/response-half-way', (ctx) => {
          ctx.body = new Response(ReadableStream.from(failing('half of it', ctx)) as ReadableStream<Uint8Array>);
        }),
        get('/late/old-stream-half-way', (ctx) => {
          ctx.body = oldStream(new Error(SECRET), ctx);
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
  const oneErrorLine = (template: string) => eventually(() => errorLines(template).length === 1);

  for (const what of ['bigint', 'loop', 'stream-at-once', 'web-stream-at-once', 'web-stream-soon']) {
    it(`is a 500 that is logged once: ${what}`, async () => {
      const { status, text, body, headers } = await request(`${app.url}/api/late/${what}`);
      expect(status).to.equal(500);
      expect(body).to.include({ code: 'internal.error', title: 'Internal Server Error' });
      expect(text).to.not.match(/BigInt|circular|users_secret/);
      expect(headers.get('cache-control')).to.equal('no-store');
      await oneErrorLine(`/api/late/${what}`);
      expect(errorsOf(`/api/late/${what}`)).to.have.all.keys(what.includes('stream') ? 'Error' : 'TypeError');
    });
  }

  it('is a 404 in the envelope when the handler forgot to answer', async () => {
    const { status, body } = await request(`${app.url}/api/late/nothing`);
    expect({ status, code: body.code }).to.deep.equal({ status: 404, code: 'http.not_found' });
  });

  it('is the whole stream when nothing fails, also when it has nothing to give', async () => {
    expect((await request(`${app.url}/api/late/stream-whole`)).text).to.equal('one two');
    const web = await request(`${app.url}/api/late/web-stream-whole`);
    expect({ text: web.text, length: web.headers.get('content-length') }).to.deep.equal({
      text: 'one two',
      length: '7',
    });
    const made = await request(`${app.url}/api/late/response-whole`);
    expect({ text: made.text, status: made.status, own: made.headers.get('x-own') }).to.deep.equal({
      text: 'one two',
      status: 203,
      own: '1',
    });
    const { status, text } = await request(`${app.url}/api/late/stream-empty`);
    expect({ status, text }).to.deep.equal({ status: 200, text: '' });
  });

  it('is the error that was thrown, even where its own details cannot be serialized', async () => {
    const { status, body } = await request(`${app.url}/api/late/unserializable-errors`);
    expect({ status, detail: body.detail }).to.deep.equal({ status: 400, detail: 'No' });
  });

  const HALF_WAY = ['stream', 'web-stream', 'response', 'old-stream'].map((kind) => `${kind}-half-way`);
  for (const what of [...HALF_WAY, 'headers-sent']) {
    it(`closes the connection, since the answer is not whole: ${what}`, async () => {
      const answer = await sendRaw(app.url, `GET /api/late/${what} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(answer)
        .to.match(/^HTTP\/1\.1 200 OK/)
        .and.contain('half of it');
      expect(answer, 'no end of the chunks').to.not.contain('\r\n0\r\n');
      expect(answer).to.not.contain('internal.error').and.not.contain('users_secret');
      await oneErrorLine(`/api/late/${what}`);
      const entry = await eventually(() => app.access.find(({ route }) => route === `/api/late/${what}`));
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
    const entry = await eventually(() => app.access.find(({ route }) => route === '/api/late/endless'));
    hold.resolve();
    hold = Promise.withResolvers();
    expect(entry.status).to.equal(499);
    expect(errorLines('/api/late/endless')).to.deep.equal([]);
    expect(errorsOf('/api/late/endless')).to.deep.equal({});
    expect(requestsOf('/api/late/endless')).to.deep.equal({ 'GET 499': 1 });
  });
});
