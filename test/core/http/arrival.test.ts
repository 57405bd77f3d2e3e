import { expect } from 'chai';
import { BaseDTO } from '../../../src/core/http/dto.ts';
import { route } from '../../../src/core/http/route.ts';
import { Type } from '../../../src/core/http/type.ts';
import type { Answer } from '../../support/client.ts';
import { answersIn, expectProblem } from '../../support/problem.ts';
import { sendRaw } from '../../support/raw-http.ts';
import { ANYTHING, serve, type TestApp } from './harness.ts';

const HEAD = 'POST /api/take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

describe('a request that does not arrive whole', () => {
  let app: TestApp;
  beforeEach(async () => {
    app = await serve({
      server: { requestTimeout: 300, headersTimeout: 300, connectionsCheckingInterval: 25 },
      routes: [
        route({
          method: 'post',
          path: '/take',
          summary: 'Takes a body',
          body: BaseDTO({ a: Type.Integer() }),
          responses: ANYTHING,
          handler: (ctx) => ctx.respond.success(ctx.state.input.body),
        }),
      ],
    });
  });

  for (const [what, bytes, status, code] of [
    ['its headers stay away', 'GET / HTTP/1.1\r\nHost: x\r\nX-A: ', 408, 'request.timeout'],
    ['its body stays away', `${HEAD}Content-Length: 10\r\n\r\n`, 408, 'request.timeout'],
    ['half of its body stays away', `${HEAD}Content-Length: 10\r\n\r\n{"a":`, 408, 'request.timeout'],
    ['its last chunk stays away', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n`, 408, 'request.timeout'],
    [
      'one of its chunks is none',
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\nzz\r\n`,
      400,
      'request.malformed',
    ],
  ] as const) {
    it(`is answered with ${status} when ${what}, and is one request in the access log`, async () => {
      const answers = answersIn(await sendRaw(app.url, bytes));
      expect(answers).to.have.lengthOf(1);
      expectProblem(answers[0] as Answer, status, code);
      // Nothing more is to come of it once all connections are closed.
      await app.close();
      await new Promise(setImmediate);
      expect(app.access.map((entry) => entry.status)).to.deep.equal([status]);
    });
  }
});
