import { expect } from 'chai';
import fc from 'fast-check';
import { PageQuery } from '../../../src/core/http/page.ts';
import { route } from '../../../src/core/http/route.ts';
import { request } from '../../support/client.ts';
import { expectProblem } from '../../support/problem.ts';
import { ANYTHING, serve, type TestApp } from './harness.ts';

const RUNS = { numRuns: 200 };

describe('a query, whatever it holds,', () => {
  let app: TestApp;
  before(async () => {
    const list = route({
      method: 'get',
      path: '/list',
      summary: 'A list',
      query: PageQuery,
      responses: { 200: { description: 'What was asked for', schema: ANYTHING } },
      handler: (ctx) => ctx.respond.success(ctx.state.input.query),
    });
    app = await serve({ routes: [list] });
  });
  after(() => app.close());

  const ask = (query: string) => request(`${app.url}/api/list?${query}`);

  it('reaches the handler as it was written, with the default where it says nothing', async () => {
    const limit = fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined });
    const cursor = fc.option(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(limit, cursor, async (limit, cursor) => {
        const query = new URLSearchParams();
        if (limit !== undefined) query.set('limit', String(limit));
        if (cursor !== undefined) query.set('cursor', cursor);
        const answer = await ask(query.toString());
        expect(answer.status, answer.text).to.equal(200);
        expect(answer.body.data).to.deep.equal({ limit: limit ?? 20, ...(cursor === undefined ? {} : { cursor }) });
      }),
      RUNS,
    );
  });

  it('is refused with 422 when a number is none of the allowed ones, or is not written as one', async () => {
    const number = fc.oneof(
      fc.integer().filter((n) => n < 1 || n > 100),
      fc.double().filter((n) => !Number.isInteger(n)),
      fc.constantFrom(
        '',
        ' 5',
        '5 ',
        '0x10',
        '1e1',
        '+5',
        '٥',
        '1_0',
        'NaN',
        'Infinity',
        'true',
        'null',
        '5.5',
        '--5',
        '[5]',
      ),
    );
    await fc.assert(
      fc.asyncProperty(number, async (value) => {
        expectProblem(await ask(new URLSearchParams({ limit: String(value) }).toString()), 422, 'validation.failed');
      }),
      RUNS,
    );
  });

  it('is refused with 422 when it has a name nobody declared, or one twice', async () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        '__proto__',
        'constructor',
        'toString',
        'limit[]',
        'limit.x',
        'Limit',
        'hasOwnProperty',
        'limit\0',
      ),
    );
    await fc.assert(
      fc.asyncProperty(name, fc.string(), async (key, value) => {
        const once = new URLSearchParams([[key, value]]);
        const twice = new URLSearchParams([
          ['limit', '1'],
          [key, value],
          ['limit', '1'],
        ]);
        if (!['limit', 'cursor'].includes(key)) expectProblem(await ask(once.toString()), 422, 'validation.failed');
        expectProblem(await ask(twice.toString()), 422, 'validation.failed');
      }),
      { numRuns: 100 },
    );
  });

  it('is answered with 200 or 422 when it is made of pieces of one, in any order', async () => {
    const piece = fc.constantFrom(
      ...['limit', 'cursor', '=', '&', '%', '%zz', '%C3%28', '%00', '5', '+', '&&', '?', ';', '__proto__'],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const answer = await ask(pieces.join(''));
        if (answer.status !== 200) expectProblem(answer, 422, 'validation.failed');
      }),
      RUNS,
    );
  });
});
