import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from 'chai';
import Koa from 'koa';
import { readSettings } from '../../../../src/core/config/index.ts';
import { ConflictError } from '../../../../src/core/errors/app-http-error.ts';
import { BaseDTO } from '../../../../src/core/http/dto.ts';
import { openApiDocument } from '../../../../src/core/http/openapi/document.ts';
import { type Route, route } from '../../../../src/core/http/route.ts';
import { initiateRouters, mountedRoutes } from '../../../../src/core/http/router.ts';
import { Type } from '../../../../src/core/http/type.ts';
import { DOMAIN_SETTINGS } from '../../../../src/domains/settings.ts';
import { declaredRouters } from '../../../support/declared-routes.ts';
import { limiterOf } from '../harness.ts';

// biome-ignore lint/suspicious/noExplicitAny: a document, of which each test says what it expects
type Json = any;

const settings = readSettings({}, {}, DOMAIN_SETTINGS);
const describeRoutes = (...api: Route[]): Json => openApiDocument(mountedRoutes({ root: [], api }), settings);

describe('the description of this API', () => {
  const routers = declaredRouters(settings);
  const document: Json = JSON.parse(JSON.stringify(openApiDocument(mountedRoutes(routers), settings)));
  const operations: [string, Json][] = Object.entries(document.paths as Json).flatMap(([path, methods]) =>
    Object.entries(methods as Json).map(([method, operation]): [string, Json] => [`${method} ${path}`, operation]),
  );
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ ...document, $id: 'document:' });

  it('has exactly the routes that the router serves', () => {
    const refuse = async () => undefined;
    const tools = { bodyLimit: 1, authenticate: refuse, limiter: limiterOf(settings) };
    const router = initiateRouters(new Koa(), routers, tools);
    const served = router.stack.flatMap(({ path, methods }) =>
      methods
        .filter((method) => method !== 'HEAD')
        .map((method) => `${method.toLowerCase()} ${String(path).replace(/:(\w+)/g, '{$1}')}`),
    );
    expect(served).to.have.length.greaterThan(8);
    expect(operations.map(([name]) => name).sort()).to.deep.equal(served.sort());
  });

  it('says of every route what it does, under which tag, who may call it, and an id of its own', () => {
    for (const [name, operation] of operations) {
      expect(operation.summary, name).to.be.a('string').and.not.equal('');
      expect(operation.tags, name).to.have.length.greaterThan(0);
      expect(operation.security, name).to.be.an('array');
    }
    const ids = operations.map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).to.equal(ids.length);
    const schemes = operations.flatMap(([, { security }]) => security.flatMap(Object.keys));
    expect(Object.keys(document.components.securitySchemes)).to.have.members([...new Set(schemes)]);
  });

  it('has examples, each of which its schema allows', () => {
    let examples = 0;
    const visit = (node: Json, pointer: string): void => {
      if (typeof node !== 'object' || node === null) return;
      if (node.schema !== undefined && ('example' in node || 'examples' in node)) {
        const validate = ajv.getSchema(`document:#${pointer}/schema`);
        const given = 'example' in node ? [node.example] : Object.values(node.examples).map((each: Json) => each.value);
        for (const example of given) {
          examples++;
          const isAllowed = validate?.(example);
          expect(isAllowed, `${pointer}: ${ajv.errorsText(validate?.errors)}`).to.equal(true);
        }
      }
      for (const [key, inner] of Object.entries(node)) {
        if (key !== 'example' && key !== 'examples') {
          visit(inner, `${pointer}/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`);
        }
      }
    };
    visit(document, '');
    expect(examples).to.be.greaterThan(operations.length);
  });
});

describe('the description of a route', () => {
  const body = BaseDTO({ name: Type.String() }, { title: 'NewShop' });
  const shop = BaseDTO({ id: Type.Integer(), name: Type.String() }, { title: 'ShopView' });
  const declared = {
    method: 'put',
    path: '/shops/:id/name',
    summary: 'Rename a shop',
    handler: () => undefined,
    params: BaseDTO({ id: Type.Integer({ minimum: 1, description: 'Its number' }) }),
    body,
    responses: { 200: { description: 'The shop', schema: shop } },
  } as const;

  it('comes from its declaration', () => {
    const query = BaseDTO({ deep: Type.Boolean({ default: false }), by: Type.String() });
    const operation = describeRoutes(route({ ...declared, query })).paths['/api/shops/{id}/name'].put;
    expect(operation).to.include({ operationId: 'putShopsByIdName', summary: 'Rename a shop' });
    expect(operation.tags).to.deep.equal(['shops']);
    expect(operation.parameters).to.deep.equal([
      {
        name: 'id',
        in: 'path',
        required: true,
        description: 'Its number',
        schema: { type: 'integer', minimum: 1, description: 'Its number' },
      },
      { name: 'deep', in: 'query', required: false, schema: { type: 'boolean', default: false } },
      { name: 'by', in: 'query', required: true, schema: { type: 'string' } },
    ]);
    expect(operation.requestBody.content['application/json'].schema).to.deep.equal({
      $ref: '#/components/schemas/NewShop',
    });
    expect(operation.responses[200].content['application/json'].schema.properties.data).to.deep.equal({
      $ref: '#/components/schemas/ShopView',
    });
  });

  it('lists the errors that guard, body, schemas and core bring beside its own, by status and code', () => {
    const errors = [{ type: ConflictError, code: 'shops.name_taken', description: 'Another shop has this name' }];
    const { paths, components } = describeRoutes(route({ ...declared, authenticated: true, errors }));
    const { responses, security } = paths['/api/shops/{id}/name'].put;
    const codesOf = (status: number): string[] =>
      components.responses[responses[status].$ref.split('/').at(-1)].content['application/problem+json'].schema
        .properties.code.enum;
    expect(security).to.deep.equal([{ bearer: [] }]);
    expect(Object.keys(responses)).to.deep.equal([
      '200',
      '400',
      '401',
      '408',
      '409',
      '413',
      '415',
      '417',
      '422',
      '429',
      '431',
      '500',
      '503',
    ]);
    expect(codesOf(409)).to.deep.equal(['shops.name_taken']);
    expect(codesOf(401)).to.include.members(['auth.token_missing', 'auth.token_expired', 'auth.token_invalid']);
    expect(codesOf(422)).to.deep.equal(['validation.failed']);
    expect(codesOf(503)).to.deep.equal(['overload.shed', 'request.deadline', 'postgres.unavailable']);
  });

  it('describes an answer that is also the status of an error in both forms', () => {
    const responses = { ...declared.responses, 503: { description: 'Closed today', schema: shop } };
    const { content } = describeRoutes(route({ ...declared, responses })).paths['/api/shops/{id}/name'].put
      .responses[503];
    expect(Object.keys(content)).to.deep.equal(['application/json', 'application/problem+json']);
  });

  it('is refused when two different schemas have one name', () => {
    const other = BaseDTO({ id: Type.String() }, { title: 'ShopView' });
    const routes = [
      route(declared),
      route({ ...declared, path: '/shops/:id', responses: { 200: { description: 'x', schema: other } } }),
    ];
    expect(() => describeRoutes(...routes)).to.throw('Two schemas have the title ShopView: rename one of them');
  });

  it('keeps a field that is called title, and a title that is no name', () => {
    const schema = BaseDTO({ title: Type.String({ title: 'of the book' }) });
    const responses = { 200: { description: 'x', schema } };
    const { paths } = describeRoutes(route({ ...declared, responses }));
    const { properties } = paths['/api/shops/{id}/name'].put.responses[200].content['application/json'].schema;
    expect(properties.data.properties).to.deep.equal({ title: { type: 'string', title: 'of the book' } });
  });
});
