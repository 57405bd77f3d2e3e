import { expect } from 'chai';
import { readSettings } from '../../../../src/core/config/index.ts';
import { ConflictError } from '../../../../src/core/errors/app-http-error.ts';
import { BaseDTO } from '../../../../src/core/http/dto.ts';
import { openApiDocument } from '../../../../src/core/http/openapi/document.ts';
import { route } from '../../../../src/core/http/route.ts';
import { mountedRoutes } from '../../../../src/core/http/router.ts';
import { Type } from '../../../../src/core/http/type.ts';
import type { Answer } from '../../../support/client.ts';
import { createContract } from '../../../support/contract.ts';

const shop = BaseDTO({ id: Type.Integer() }, { title: 'ShopView' });
const common = { summary: 'x', handler: () => undefined, params: BaseDTO({ id: Type.Integer() }), path: '/shops/:id' };
const api = [
  route({
    ...common,
    method: 'get',
    responses: { 200: { description: 'x', schema: shop } },
    errors: [{ type: ConflictError, code: 'shops.closed', description: 'It is closed' }],
  }),
  route({ ...common, method: 'delete', responses: { 204: { description: 'x' } } }),
];
const meta = { timestamp: '2026-01-01T00:00:00.000Z', success: true, request_id: 'a' };

/** The check that every answer in the end-to-end tests goes through. */
describe('an answer that is held against the description', () => {
  const contract = createContract(openApiDocument(mountedRoutes({ root: [], api }), readSettings({})));
  const answered = (status: number, body?: unknown, type = 'application/json; charset=utf-8'): Answer => ({
    status,
    headers: new Headers({ 'content-type': type }),
    text: body === undefined ? '' : JSON.stringify(body),
    body,
  });
  const problem = (status: number, code: string) =>
    answered(
      status,
      {
        type: 'https://httpstatuses.io/409',
        title: 'x',
        status,
        instance: '/x',
        code,
        meta: { ...meta, success: false },
      },
      'application/problem+json',
    );
  const check =
    (method: string, answer: Answer, path = '/api/shops/7') =>
    () =>
      contract.assertDeclared(method, path, answer);

  it('passes as its route declares it', () => {
    for (const checked of [
      check('GET', answered(200, { data: { id: 7 }, meta })),
      check('HEAD', answered(200)),
      check('DELETE', answered(204)),
      check('GET', problem(409, 'shops.closed')),
      check('GET', problem(500, 'internal.error')),
      check('PUT', problem(405, 'http.method_not_allowed')),
      check('GET', problem(404, 'http.not_found'), '/nowhere'),
    ]) {
      expect(checked).to.not.throw();
    }
  });

  for (const [what, checked, named] of [
    ['a status that is not declared', check('GET', answered(201, {})), 'GET /api/shops/{id} answered 201'],
    [
      'a field that is not declared',
      check('GET', answered(200, { data: { id: 7, secret: 1 }, meta })),
      'GET /api/shops/7',
    ],
    ['a field of another type', check('GET', answered(200, { data: { id: '7' }, meta })), '200'],
    ['no envelope', check('GET', answered(200, { id: 7 })), 'GET /api/shops/7'],
    ['no request id', check('GET', answered(200, { data: { id: 7 }, meta: {} })), 'request_id'],
    ['a code that is not declared', check('GET', problem(409, 'shops.burnt')), 'code'],
    ['a media type that is not declared', check('GET', answered(200, 'x', 'text/html')), 'text/html'],
    ['a body where none is declared', check('DELETE', answered(204, {})), 'declares none'],
    ['an answer where nothing is served', check('GET', answered(200, {}), '/nowhere'), 'no declared route'],
    ['an error in another shape', check('GET', answered(404, {}), '/nowhere'), 'application/json'],
  ] as const) {
    it(`fails with ${what}, naming route and status`, () => {
      expect(checked).to.throw(named);
    });
  }
});
