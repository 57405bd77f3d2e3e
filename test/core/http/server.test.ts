import { expect } from 'chai';
import Koa from 'koa';
import { registerExceptionHandlers } from '../../../src/core/http/exception-handlers.ts';
import { addMiddlewares } from '../../../src/core/http/onion.ts';
import { initiateRouters } from '../../../src/core/http/router.ts';
import { type HttpServer, listen } from '../../../src/core/http/server.ts';
import { type AccessEntry, stopLogger } from '../../../src/core/logging/index.ts';
import type { Answer } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { answersIn, expectProblem } from '../../support/problem.ts';
import { sendRaw } from '../../support/raw-http.ts';
import { type FakeConsole, start as startLogging } from '../logging/harness.ts';
import { get, limiterOf, requestsOf, settingsFrom } from './harness.ts';

const END = 'Host: x\r\nConnection: close\r\n\r\n';

describe('what the server refuses by itself', () => {
  let server: HttpServer;
  let url: string;
  let console: FakeConsole;
  const access: AccessEntry[] = [];
  before(async () => {
    await stopLogger();
    ({ console } = startLogging({ files: false }));
    const app = new Koa();
    const writeAccess = (entry: AccessEntry) => {
      access.push(entry);
    };
    registerExceptionHandlers(app);
    const settings = settingsFrom();
    const limiter = limiterOf(settings);
    addMiddlewares(app, { settings, limiter, writeAccess, isLoopLate: () => false });
    const tools = { bodyLimit: 1024, limiter, authenticate: async () => undefined };
    initiateRouters(app, { root: [], api: [get('/ok', (ctx) => ctx.respond.success({}))] }, tools);
    server = await listen(app, {
      host: '127.0.0.1',
      port: 0,
      portSetting: 'PORT',
      keepAliveTimeoutMs: 5000,
      requestTimeoutMs: 30_000,
      writeAccess,
    });
    url = `http://127.0.0.1:${server.port}`;
  });
  after(async () => {
    await server.close(100);
    await stopLogger();
  });

  for (const [what, bytes, status] of [
    ['a whole URL that is none', `GET http://[::1 HTTP/1.1\r\n${END}`, 400],
    ['a whole URL with a port that is none', `GET http://a:99999999/ HTTP/1.1\r\n${END}`, 400],
    ['a whole URL without a host', `GET http:// HTTP/1.1\r\n${END}`, 400],
    ['a whole URL with a host that is none', `GET http://a%00b/ HTTP/1.1\r\n${END}`, 400],
    ['no Host', 'GET /api/ok HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['two Hosts', `GET /api/ok HTTP/1.1\r\nHost: a\r\n${END}`, 400],
    ['an expectation nobody knows', `GET /api/ok HTTP/1.1\r\nExpect: the-unexpected\r\n${END}`, 417],
    ['a tunnel', `CONNECT example.org:443 HTTP/1.1\r\n${END}`, 405],
  ] as const) {
    it(`is answered in the same envelope, without an error in the log: ${what}`, async () => {
      const seen = access.length;
      const [answer] = answersIn(await sendRaw(url, bytes));
      expect(answer, 'an answer').to.not.equal(undefined);
      expectProblem(answer as Answer, status);
      await eventually(() => access.length === seen + 1);
      expect(console.lines.filter(({ level }) => level === 'ERROR')).to.deep.equal([]);
    });
  }

  it('does not keep the process from answering the next', async () => {
    const [answer] = answersIn(await sendRaw(url, `GET /api/ok HTTP/1.1\r\n${END}`));
    expect(answer?.status).to.equal(200);
    expect(requestsOf('/api/ok')['GET 200']).to.be.greaterThan(0);
  });
});
