import { expect } from 'chai';
import { readSettings } from '../../../src/core/config/index.ts';
import { ForbiddenError, ServiceUnavailableError, UnauthorizedError } from '../../../src/core/errors/app-http-error.ts';
import { getCurrentUserSession } from '../../../src/core/http/authenticate.ts';
import { BaseDTO } from '../../../src/core/http/dto.ts';
import { route } from '../../../src/core/http/route.ts';
import { Type } from '../../../src/core/http/type.ts';
import { post, request } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { ANYTHING, errorsOf, get, requestsOf, serve, type TestApp } from './harness.ts';

describe('a declared route', () => {
  const apps: TestApp[] = [];
  const start = async (...args: Parameters<typeof serve>) => {
    const app = await serve(...args);
    apps.push(app);
    return app;
  };
  after(() => Promise.all(apps.map((app) => app.close())));

  const refusal = async (...args: Parameters<typeof serve>) =>
    String(await start(...args).catch((error: unknown) => error));

  it('is refused at start when another has its template', async () => {
    const handler = () => undefined;
    expect(await refusal({ routes: [get('/a/:id', handler), get('/a/:other', handler)] })).to.contain(
      'Two routes answer GET /api/a/:other',
    );
    const app = await start({ routes: [get('/a', handler), { ...get('/a', handler), method: 'post' }] });
    expect((await request(`${app.url}/api/a`, { method: 'PUT' })).headers.get('allow')).to.equal(
      'GET, HEAD, OPTIONS, POST',
    );
  });

  describe('is refused at start, in one line that names it,', () => {
    const declared = { ...get('/a/:id', () => undefined) };
    const text = Type.String();
    for (const [what, changed, message] of [
      ['when a schema is none', { query: { type: 'object', properties: { a: { type: 'x' } } } }, 'schema is invalid'],
      ['when a keyword is misspelt', { query: { type: 'object', propertys: {} } }, 'propertys'],
      ['when the schema of an answer is none', { responses: { 200: { schema: { type: 'x' } } } }, 'schema is invalid'],
      ['without a schema for an answer', { responses: { 200: {} } }, 'has no schema for its answer 200'],
      ['with a body for 204', { responses: { 204: { schema: text } } }, 'declares a body for 204'],
      ['without an answer', { responses: { 404: { schema: text } } }, 'declares no answer'],
      ['when unknown fields get into its body', { body: Type.Object({}) }, 'lets unknown fields into its body'],
      ['when its query is no object', { query: text }, 'lets unknown fields into its query'],
      ['without a schema for a parameter', { params: undefined }, 'what stands in its template: id'],
      ['with a parameter that is not in its path', { path: '/a' }, 'what stands in its template: none'],
      ['with a wildcard in its path', { path: '/a/*id' }, 'only fixed segments and :names'],
    ] as const) {
      it(what, async () => {
        const refused = await refusal({ routes: [{ ...declared, ...changed } as never] });
        expect(refused).to.match(/^StartupError: Route GET \/api\/a\S* .*$/);
        expect(refused).to.contain(message);
      });
    }

    it('when it names its parameters as no other route of that path does', async () => {
      const routes = [declared, { ...get('/a/:name', () => undefined), method: 'delete' as const }];
      expect(await refusal({ routes })).to.contain(
        'Route DELETE /api/a/:name must name its parameters as /api/a/:id does',
      );
    });
  });

  describe('with parameters, a query and a body', () => {
    let app: TestApp;
    before(async () => {
      app = await start({
        routes: [
          route({
            method: 'post',
            path: '/shops/:shop/items/:id',
            summary: 'All three',
            params: BaseDTO({ shop: Type.String({ format: 'uuid' }), id: Type.Integer({ minimum: 1 }) }),
            query: BaseDTO({ deep: Type.Boolean({ default: false }), sort: Type.Enum(['up', 'down']) }),
            body: BaseDTO({ count: Type.Integer(), tags: Type.Optional(Type.Array(Type.String(), { maxItems: 2 })) }),
            responses: ANYTHING,
            handler: (ctx) => ctx.respond.success(ctx.state.input),
          }),
        ],
      });
    });
    const SHOP = '4bf92f35-77b3-4da6-a3ce-929d0e0e4736';

    it('gets them as what its schemas say, defaults included', async () => {
      const { body } = await post(`${app.url}/api/shops/${SHOP}/items/7?sort=up`, { count: 1 });
      expect(body.data).to.deep.equal({
        params: { shop: SHOP, id: 7 },
        query: { sort: 'up', deep: false },
        body: { count: 1 },
      });
    });

    it('hears of every problem in all three at once, with what is allowed', async () => {
      const { status, body } = await post(`${app.url}/api/shops/1/items/0?sort=left&deep=maybe`, {
        count: '1',
        tags: ['a', 2, 'c'],
      });
      expect(status).to.equal(422);
      expect(
        Object.fromEntries(body.errors.map(({ field, ...rest }: { field: string }) => [field, rest])),
      ).to.deep.equal({
        '/params/shop': { message: 'must match format "uuid"', rule: 'format', allowed: 'uuid' },
        '/params/id': { message: 'must be >= 1', rule: 'minimum', allowed: 1 },
        '/query/sort': { message: 'must be equal to one of the allowed values', rule: 'enum', allowed: ['up', 'down'] },
        '/query/deep': { message: 'must be boolean', rule: 'type', allowed: 'boolean' },
        '/body/count': { message: 'must be integer', rule: 'type', allowed: 'integer' },
        '/body/tags': { message: 'must NOT have more than 2 items', rule: 'maxItems', allowed: 2 },
        '/body/tags/1': { message: 'must be string', rule: 'type', allowed: 'string' },
      });
    });

    it('does not turn text into numbers in a body: JSON has types of its own', async () => {
      expect((await post(`${app.url}/api/shops/${SHOP}/items/7?sort=up`, { count: '1' })).status).to.equal(422);
    });

    it('counts requests by its template, whatever stands in the path', async () => {
      const template = '/api/shops/:shop/items/:id';
      const before = requestsOf(template)['POST 422'] ?? 0;
      for (let n = 0; n < 3; n++) await post(`${app.url}/api/shops/x${n}/items/y`, {});
      expect(requestsOf(template)['POST 422']).to.equal(before + 3);
    });
  });

  it('gets the text of a parameter decoded, and as it is where it cannot be', async () => {
    const app = await start({ routes: [get('/named/:name', (ctx) => ctx.respond.success(ctx.params))] });
    for (const [sent, expected] of [
      ['a%20b', 'a b'],
      ['a%2Fb', 'a/b'],
      ['%zz', '%zz'],
      ['%e0%a4%a', '%e0%a4%a'],
      ['..%2f..', '../..'],
    ]) {
      const { status, body } = await request(`${app.url}/api/named/${sent}`);
      expect({ status, data: body.data }, sent).to.deep.equal({ status: 200, data: { name: expected } });
    }
  });

  it('asks who calls before it reads a byte of the body', async () => {
    const app = await start({
      authenticate: async () => {
        throw new UnauthorizedError('Sign in first');
      },
      routes: [
        route({
          method: 'post',
          path: '/guarded',
          summary: 'Guarded',
          authenticated: true,
          body: BaseDTO({}),
          responses: ANYTHING,
          handler: () => undefined,
        }),
      ],
    });
    const answer = await request(`${app.url}/api/guarded`, {
      method: 'POST',
      body: '{not json',
      headers: { 'Content-Type': 'text/plain' },
    });
    expect(answer.status).to.equal(401);
  });

  it('asks whether there is room before it reads a byte of the body, and each time anew', async () => {
    let isFull = true;
    const app = await start({
      routes: [
        route({
          method: 'post',
          path: '/costly',
          summary: 'Costly',
          admit: () => (isFull ? new ServiceUnavailableError('No room', { code: 'shop.full' }) : undefined),
          body: BaseDTO({}),
          responses: ANYTHING,
          handler: (ctx) => ctx.respond.success('done'),
        }),
      ],
    });
    const refused = await request(`${app.url}/api/costly`, { method: 'POST', body: '{not json' });
    expect(refused.body).to.include({ status: 503, code: 'shop.full', detail: 'No room' });
    expect(refused.headers.get('retry-after')).to.equal('1');
    const line = await eventually(() => app.access.find(({ route }) => route === '/api/costly'));
    expect(line, 'as one past MAX_IN_FLIGHT').to.include({ status: 503, shed: true });
    expect(errorsOf('/api/costly')).to.deep.equal({});
    isFull = false;
    expect((await post(`${app.url}/api/costly`, {})).body.data).to.equal('done');
  });

  it('that forgot to say it is guarded cannot ask for its user', async () => {
    const app = await start({ routes: [get('/unguarded', (ctx) => ctx.respond.success(getCurrentUserSession(ctx)))] });
    expect((await request(`${app.url}/api/unguarded`)).status).to.equal(500);
    expect(errorsOf('/api/unguarded')).to.deep.equal({ Error: 1 });
  });

  it('may refuse by an error of its own, with words, problems and headers', async () => {
    const app = await start({
      routes: [
        get('/refused', () => {
          throw new ForbiddenError('Not on a Sunday', {
            code: 'shop.closed',
            errors: { day: 'sunday' },
            metaExtensions: { opens: 'monday', success: true },
            headers: { 'Retry-After': '3600' },
          });
        }),
      ],
    });
    const { status, body, headers } = await request(`${app.url}/api/refused`);
    expect(status).to.equal(403);
    expect(body).to.deep.include({ code: 'shop.closed', detail: 'Not on a Sunday', errors: { day: 'sunday' } });
    expect(body.meta).to.include({ opens: 'monday', success: false });
    expect(headers.get('retry-after')).to.equal('3600');
  });

  it('takes bodies of up to BODY_LIMIT', () => {
    expect(readSettings({ BODY_LIMIT: '2kb' }).bodyLimit).to.equal(2048);
  });
});
