import { expect } from 'chai';
import { ONION } from '../../../src/core/http/onion.ts';
import { stopLogger } from '../../../src/core/logging/index.ts';
import { request } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { answersIn } from '../../support/problem.ts';
import { sendRaw } from '../../support/raw-http.ts';
import { start as startLogging } from '../logging/harness.ts';
import { get, head, limiterOf, serve, settingsFrom, type TestApp } from './harness.ts';

const SECURITY_HEADERS = {
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'content-security-policy': "default-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none'",
};

describe('the onion', () => {
  it('has these layers in this order, outermost first', () => {
    expect(ONION.map(({ name }) => name)).to.deep.equal([
      'telemetry',
      'errorEnvelope',
      'requestId',
      'securityHeaders',
      'cors',
      'device',
      'overload',
      'deadline',
      'generalLimit',
    ]);
  });

  it('shows each layer under its name in a stack trace', () => {
    const settings = settingsFrom();
    const limiter = limiterOf(settings);
    const options = { settings, limiter, writeAccess: () => undefined, isLoopLate: () => false };
    for (const { name, create } of ONION) expect(create(options).name).to.equal(name);
  });

  it('warns once, at start, that * allows no credentials', async () => {
    await stopLogger();
    const { console } = startLogging({ files: false });
    const app = await serve({ env: { CORS_ALLOW_ORIGINS: '*', CORS_ALLOW_CREDENTIALS: 'true' } });
    for (let n = 0; n < 3; n++) await request(app.url);
    await app.close();
    await stopLogger();
    const lines = console.lines.filter(
      ({ logger, message }) => logger === 'app.http.cors' && message.includes('CORS_ALLOW_ORIGINS'),
    );
    expect(lines.map(({ level }) => level)).to.deep.equal(['WARNING']);
  });
});

describe('security headers', () => {
  let app: TestApp;
  before(async () => {
    app = await serve({
      env: { CORS_ALLOW_ORIGINS: 'https://app.example.org' },
      routes: [
        get('/ok', (ctx) => ctx.respond.success({})),
        get('/empty', (ctx) => ctx.respond.success(undefined, { status: 204 })),
        { ...get('/guarded', () => undefined), authenticated: true },
      ],
    });
  });
  after(() => app.close());

  const preflight = { Origin: 'https://app.example.org', 'Access-Control-Request-Method': 'POST' };
  for (const [what, status, path, init] of [
    ['an answer', 200, '/api/ok', {}],
    ['an answer without a body', 204, '/api/empty', {}],
    ['an error', 404, '/nope', {}],
    ['a 500', 500, '/api/guarded', {}],
    ['a method that is not allowed', 405, '/api/ok', { method: 'DELETE' }],
    ['a preflight', 204, '/api/ok', { method: 'OPTIONS', headers: preflight }],
    [
      'a preflight of a stranger',
      204,
      '/api/ok',
      { method: 'OPTIONS', headers: { ...preflight, Origin: 'https://evil.example' } },
    ],
  ] as const) {
    it(`are on ${what}`, async () => {
      const answer = await request(`${app.url}${path}`, init);
      expect(answer.status).to.equal(status);
      expect(Object.fromEntries(answer.headers)).to.include(SECURITY_HEADERS);
      expect(answer.headers.has('x-powered-by')).to.equal(false);
      expect(answer.headers.has('server')).to.equal(false);
    });
  }

  for (const [status, bytes] of [
    [431, `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`],
    [400, 'no request at all\r\n\r\n'],
    [400, 'GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: a\u0000b\r\n\r\n'],
  ] as const) {
    it(`are on what Node itself refuses with ${status}: ${bytes.slice(0, 20).trim()}`, async () => {
      const [answer] = answersIn(await sendRaw(app.url, bytes));
      expect(answer?.status).to.equal(status);
      expect(Object.fromEntries(answer?.headers ?? [])).to.include(SECURITY_HEADERS);
    });
  }

  it('are on what is refused for overload, as are id and CORS headers', async () => {
    const full = await serve({ env: { MAX_IN_FLIGHT: '1' }, routes: [get('/held', () => held.promise)] });
    const held = Promise.withResolvers<void>();
    try {
      const first = request(`${full.url}/api/held`);
      const second = await eventually(async () => {
        const answer = await request(`${full.url}/api/nope`);
        return answer.status === 503 && answer;
      });
      expect(Object.fromEntries(second.headers)).to.include({ ...SECURITY_HEADERS, 'retry-after': '1' });
      for (const name of ['x-request-id', 'traceresponse', 'access-control-allow-origin']) {
        expect(second.headers.has(name), name).to.equal(true);
      }
      held.resolve();
      await first;
    } finally {
      await full.close();
    }
  });
});

describe('an answer that went well', () => {
  let app: TestApp;
  before(async () => {
    app = await serve({
      routes: [
        get('/data', (ctx) => ctx.respond.success({ a: 1 })),
        get('/list', (ctx) =>
          ctx.respond.success([1, 2], { metaExtensions: { page: { limit: 2, next_cursor: null } } }),
        ),
        get('/null', (ctx) => ctx.respond.success(null)),
        get('/made', (ctx) =>
          ctx.respond.success({}, { status: 201, headers: { Location: '/api/x', 'Cache-Control': 'max-age=1' } }),
        ),
        get('/empty', (ctx) => ctx.respond.success({ a: 1 }, { status: 204 })),
        get('/reserved', (ctx) =>
          ctx.respond.success(
            {},
            { metaExtensions: { success: false, request_id: 'x', trace_id: 'x', timestamp: 'x', own: 1 } },
          ),
        ),
      ],
    });
  });
  after(() => app.close());
  const ask = (path: string) => request(`${app.url}/api/${path}`, { headers: { 'X-Request-ID': 'mine' } });

  it('has its data, and says when, to whom and in which trace', async () => {
    const { body, headers, status } = await ask('data');
    expect({ status, data: body.data }).to.deep.equal({ status: 200, data: { a: 1 } });
    expect(body).to.have.all.keys('data', 'meta');
    expect(body.meta).to.have.all.keys('timestamp', 'success', 'request_id', 'trace_id');
    expect(body.meta).to.include({ success: true, request_id: 'mine' });
    expect(new Date(body.meta.timestamp).toISOString()).to.equal(body.meta.timestamp);
    expect(headers.get('x-request-id')).to.equal('mine');
    expect(headers.get('traceresponse')).to.match(new RegExp(`^00-${body.meta.trace_id}-[0-9a-f]{16}-0[01]$`));
    expect(headers.get('server-timing')).to.equal(`traceparent;desc="${headers.get('traceresponse')}"`);
    expect(headers.get('content-type')).to.equal('application/json; charset=utf-8');
    expect(headers.get('cache-control')).to.equal('no-store');
  });

  it('of a list is the list itself, with its page beside', async () => {
    const { body } = await ask('list');
    expect(body.data).to.deep.equal([1, 2]);
    expect(body.meta.page).to.deep.equal({ limit: 2, next_cursor: null });
  });

  it('says null where there is nothing', async () => expect((await ask('null')).body.data).to.equal(null));

  it('has the status and the headers that its route gave it', async () => {
    const { status, headers } = await ask('made');
    expect(status).to.equal(201);
    expect(headers.get('location')).to.equal('/api/x');
    expect(headers.get('cache-control')).to.equal('max-age=1');
  });

  it('has no body with 204, and no type of one', async () => {
    const { status, text, headers } = await ask('empty');
    expect({ status, text }).to.deep.equal({ status: 204, text: '' });
    expect(headers.has('content-type')).to.equal(false);
    expect(headers.has('content-length')).to.equal(false);
  });

  it('has no body to HEAD, and the length that it would have', async () => {
    const got = await ask('data');
    const answer = await head(`${app.url}/api/data`, { 'X-Request-ID': 'mine' });
    expect({ status: answer.status, text: answer.text }).to.deep.equal({ status: 200, text: '' });
    expect(answer.headers.get('content-length')).to.equal(String(got.text.length));
  });

  it('lets no extension take the place of what meta always says', async () => {
    const { body, headers } = await ask('reserved');
    expect(body.meta).to.include({ success: true, request_id: headers.get('x-request-id'), own: 1 });
    expect(body.meta.trace_id).to.not.equal('x');
  });

  it('has one access line', async () => {
    await request(`${app.url}/api/data`, { headers: { 'X-Request-ID': 'counted' } });
    const entry = await eventually(() => app.access.find(({ requestId }) => requestId === 'counted'));
    expect(entry).to.include({ method: 'GET', route: '/api/data', status: 200, ip: '127.0.0.1' });
  });
});
