import { expect } from 'chai';
import { StartupError } from '../../../src/core/errors/startup-error.ts';
import { BaseDTO } from '../../../src/core/http/dto.ts';
import { type Route, route } from '../../../src/core/http/route.ts';
import type { RouteLimits } from '../../../src/core/http/route-limits.ts';
import { Type } from '../../../src/core/http/type.ts';
import { NotFoundError, UnauthorizedError } from '../../../src/core/index.ts';
import { post, request } from '../../support/client.ts';
import { expectProblem } from '../../support/problem.ts';
import { ANYTHING, get, serve, type TestApp } from './harness.ts';

const Body = BaseDTO({ email: Type.String({ maxLength: 20 }), ending: Type.Optional(Type.String()) });
type Body = { email: string; ending?: string };
const MINUTE = 60_000;

let app: TestApp;
let now = 0;
const from = (address: string) => ({ 'X-Forwarded-For': address });
afterEach(() => app?.close());

async function start(env: Record<string, string>, routes: readonly Route[] = [], proxies = '1') {
  now = 0;
  app = await serve({ env: { TRUST_PROXY: proxies, ...env }, routes, clock: () => now });
}

describe('the general limit', () => {
  const ok = get('/ok', (ctx) => ctx.respond.success({}));
  const ask = (address = '192.0.2.1', path = '/api/ok') => request(`${app.url}${path}`, { headers: from(address) });

  it('refuses an address past its number in a minute, says when to come again, and lets it come then', async () => {
    await start({ RATE_LIMIT_GENERAL: '2' }, [ok]);
    for (let n = 0; n < 2; n++) expect((await ask()).status).to.equal(200);
    now = 10_500;
    const refused = await ask();
    expectProblem(refused, 429, 'rate_limit.exceeded');
    expect(refused.headers.get('retry-after')).to.equal('50');
    expect((await ask('192.0.2.2')).status, 'another address').to.equal(200);
    now = MINUTE;
    expect((await ask()).status).to.equal(200);
  });

  it('says on every answer, errors included, what it is and what is left (draft-ietf-httpapi-ratelimit-headers-10)', async () => {
    await start({ RATE_LIMIT_GENERAL: '3' }, [ok]);
    const told = [];
    for (const path of ['/api/ok', '/api/nothing', '/api/ok', '/api/ok']) {
      const { headers } = await ask('192.0.2.1', path);
      expect(headers.get('ratelimit-policy')).to.equal('"general";q=3;w=60');
      told.push(headers.get('ratelimit'));
      now += 1_000;
    }
    expect(told).to.deep.equal([
      '"general";r=2;t=60',
      '"general";r=1;t=59',
      '"general";r=0;t=58',
      '"general";r=0;t=57',
    ]);
  });

  it('does not concern what is not below /api', async () => {
    await start({ RATE_LIMIT_GENERAL: '1' }, [ok]);
    await ask();
    for (const path of ['/', '/metrics', '/health', '/apiary', '/API/ok', '/docs']) {
      const { status, headers } = await ask('192.0.2.1', path);
      expect(status, path).to.equal(404);
      expect(headers.has('ratelimit'), path).to.equal(false);
    }
    expect((await ask('192.0.2.1', '/api')).status).to.equal(429);
  });

  it('takes an IPv6 /64 for one address', async () => {
    await start({ RATE_LIMIT_GENERAL: '1' }, [ok]);
    const statuses = [];
    for (const address of ['2001:db8::1', '2001:db8:0:0:ffff::2', '2001:db8:0:1::1']) {
      statuses.push((await ask(address)).status);
    }
    expect(statuses).to.deep.equal([200, 429, 200]);
  });

  it('is not escaped by an X-Forwarded-For that the caller wrote', async () => {
    await start({ RATE_LIMIT_GENERAL: '1' }, [ok], 'none');
    const statuses = [];
    for (const address of ['192.0.2.1', '192.0.2.2', '198.51.100.7, 192.0.2.3']) {
      statuses.push((await ask(address)).status);
    }
    expect(statuses).to.deep.equal([200, 429, 429]);
    await app.close();
    await start({ RATE_LIMIT_GENERAL: '1' }, [ok]);
    expect((await ask('1.1.1.1, 192.0.2.1')).status).to.equal(200);
    expect((await ask('2.2.2.2, 192.0.2.1')).status, 'what stands before the trusted proxy').to.equal(429);
  });

  for (const env of [{ RATE_LIMIT_GENERAL: '0' }, { RATE_LIMIT_ENABLED: 'false', RATE_LIMIT_GENERAL: '1' }]) {
    it(`is off with ${Object.keys(env)[0]}=${Object.values(env)[0]}`, async () => {
      await start(env, [ok]);
      for (let n = 0; n < 5; n++) {
        const { status, headers } = await ask();
        expect(status).to.equal(200);
        expect(headers.has('ratelimit')).to.equal(false);
      }
    });
  }

  for (const [environment, names] of [
    ['development', true],
    ['test', false],
  ] as const) {
    it(`${names ? 'names' : 'does not name'} the setting that raises it in ${environment}`, async () => {
      await start({ RATE_LIMIT_GENERAL: '1', ENVIRONMENT: environment }, [ok]);
      await ask();
      const { body } = await ask();
      expect(body.detail.includes('RATE_LIMIT_GENERAL')).to.equal(names);
    });
  }
});

describe('the limits of a route', () => {
  let handled: Body[] = [];
  let told: (string | undefined)[] = [];
  const limited = (limits: RouteLimits<Body>) =>
    route({
      method: 'post',
      path: '/limited/:where',
      summary: 'Limited',
      limits: {
        account: ({ body }) => body.email,
        onRefused: (_device, account) => void told.push(account),
        ...limits,
      },
      params: BaseDTO({ where: Type.String() }),
      body: Body,
      responses: ANYTHING,
      errors: [
        { type: UnauthorizedError, code: 'test.wrong', description: 'Wrong' },
        { type: NotFoundError, description: 'Not there' },
      ],
      handler(ctx) {
        const { body } = ctx.state.input;
        handled.push(body as Body);
        if (body.ending === 'wrong') throw new UnauthorizedError('Wrong', { code: 'test.wrong' });
        if (body.ending === 'missing') throw new NotFoundError('Missing');
        ctx.respond.success({});
      },
    });
  const ask = (body: unknown, address = '192.0.2.1', where = 'here') =>
    post(`${app.url}/api/limited/${where}`, body, from(address));
  beforeEach(() => {
    handled = [];
    told = [];
  });

  it('by address come before the body is read', async () => {
    await start({}, [limited({ byAddress: [{ name: 'small', max: 1, windowSeconds: 60 }] })]);
    expect((await ask({ email: 'a' })).status).to.equal(200);
    const headers = { 'Content-Type': 'application/json', ...from('192.0.2.1') };
    const refused = await request(`${app.url}/api/limited/here`, { method: 'POST', headers, body: '{' });
    expectProblem(refused, 429, 'rate_limit.exceeded');
    expect(refused.headers.get('ratelimit-policy')).to.equal('"general";q=1200;w=60, "small";q=1;w=60');
    expect(refused.headers.get('ratelimit')).to.equal('"general";r=1198;t=60, "small";r=0;t=60');
    expect((await ask({ email: 'a' }, '192.0.2.2')).status).to.equal(200);
    expect(told).to.deep.equal([undefined]);
  });

  it('by account come after validation, count an account from everywhere, and no other', async () => {
    await start({}, [limited({ byAccount: [{ name: 'each', max: 1, windowSeconds: 60 }] })]);
    expect((await ask({ email: 'x'.repeat(21) })).status).to.equal(422);
    expect((await ask({ email: 'ada' }, '192.0.2.1')).status).to.equal(200);
    expectProblem(await ask({ email: 'ada' }, '192.0.2.2'), 429, 'rate_limit.exceeded');
    expect((await ask({ email: 'bob' }, '192.0.2.1')).status).to.equal(200);
  });

  it('by account and address count each address apart', async () => {
    await start({}, [limited({ byAccount: [{ name: 'both', max: 1, windowSeconds: 60, andAddress: true }] })]);
    const statuses = [];
    for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) {
      statuses.push((await ask({ email: 'ada' }, address)).status);
    }
    expect(statuses).to.deep.equal([200, 429, 200]);
  });

  it('count by the template, so that no other path of the route, and no other spelling, is a way round', async () => {
    await start({}, [limited({ byAddress: [{ name: 'small', max: 1, windowSeconds: 60 }] })]);
    await ask({ email: 'a' }, '192.0.2.1', 'here');
    expect((await ask({ email: 'a' }, '192.0.2.1', 'there')).status).to.equal(429);
    for (const path of ['/API/limited/here', '/api/Limited/here', '/api/limited/here/', '/api//limited/here']) {
      expect((await post(`${app.url}${path}`, { email: 'a' }, from('192.0.2.1'))).status, path).to.equal(404);
    }
    expect(handled).to.have.length(1);
  });

  it('of routes with one scope count together, and stop the start when they differ', async () => {
    const other = (limits: RouteLimits<Body>) => ({ ...limited(limits), path: '/other/:where' });
    const shared = (max: number) => ({ scope: 'both', byAddress: [{ name: 'small', max, windowSeconds: 60 }] });
    await start({}, [limited(shared(2)), other(shared(2))]);
    const statuses = [];
    for (const path of ['limited', 'other', 'limited', 'other']) {
      statuses.push((await post(`${app.url}/api/${path}/here`, { email: 'a' }, from('192.0.2.1'))).status);
    }
    expect(statuses).to.deep.equal([200, 200, 429, 429]);
    await app.close();
    const failure = await start({}, [limited(shared(2)), other(shared(3))]).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(RangeError).with.property('message').that.includes('small in both');
  });

  it('count a hit in all of them or, when one is full, in none', async () => {
    const byAccount = [
      { name: 'narrow', max: 1, windowSeconds: 60, andAddress: true },
      { name: 'wide', max: 2, windowSeconds: 60 },
    ];
    await start({}, [limited({ byAccount })]);
    await ask({ email: 'ada' }, '192.0.2.1');
    for (let n = 0; n < 5; n++) expect((await ask({ email: 'ada' }, '192.0.2.1')).status).to.equal(429);
    expect((await ask({ email: 'ada' }, '192.0.2.2')).status).to.equal(200);
    expect((await ask({ email: 'ada' }, '192.0.2.3')).status).to.equal(429);
  });

  it('of failures count only those, however many come at once', async () => {
    const byAccount = [
      { name: 'failures', max: 2, windowSeconds: 60, failures: 'test.wrong', longestDelaySeconds: 900 },
    ];
    await start({}, [limited({ byAccount })]);
    for (const ending of [undefined, 'missing', undefined, 'missing']) {
      expect((await ask({ email: 'ada', ...(ending && { ending }) })).status).to.not.equal(429);
    }
    const many = await Promise.all(Array.from({ length: 20 }, () => ask({ email: 'ada', ending: 'wrong' })));
    expect(many.filter(({ status }) => status === 401)).to.have.length(2);
    expect(many.filter(({ status }) => status === 429)).to.have.length(18);
    const refused = await ask({ email: 'ada' });
    expect(refused.headers.get('retry-after'), 'also for who would be right').to.equal('1');
    now = 1_000;
    const right = await ask({ email: 'ada' });
    expect(right.status).to.equal(200);
    expect(right.headers.get('ratelimit'), 'nobody learns how many guessed').to.equal('"general";r=1174;t=59');
  });

  it('let through whom a limit is none for, and ask about it nobody else', async () => {
    const asked: [string, string][] = [];
    const isExempt = async (account: string, address: string) => {
      asked.push([account, address]);
      return address === '192.0.2.9';
    };
    await start({}, [limited({ byAccount: [{ name: 'each', max: 1, windowSeconds: 60, isExempt }] })]);
    expect((await ask({ email: 'ada' })).status).to.equal(200);
    expect(asked).to.deep.equal([]);
    expect((await ask({ email: 'ada' })).status).to.equal(429);
    expect((await ask({ email: 'ada' }, '192.0.2.9')).status).to.equal(200);
    expect(asked).to.deep.equal([
      ['ada', '192.0.2.1'],
      ['ada', '192.0.2.9'],
    ]);
  });

  it('tell of each refusal, and whose account it is about once a minute', async () => {
    await start({}, [limited({ byAccount: [{ name: 'each', max: 1, windowSeconds: 3600 }] })]);
    for (let n = 0; n < 3; n++) await ask({ email: 'ada' });
    now = MINUTE;
    await ask({ email: 'ada' });
    expect(told).to.deep.equal(['ada', undefined, 'ada']);
  });

  it('refuse also when that cannot be recorded', async () => {
    const onRefused = () => Promise.reject(new Error('No database'));
    await start({}, [limited({ byAccount: [{ name: 'each', max: 1, windowSeconds: 60 }], onRefused })]);
    await ask({ email: 'ada' });
    expectProblem(await ask({ email: 'ada' }), 429, 'rate_limit.exceeded');
  });

  it('are off with 0, and all of them with RATE_LIMIT_ENABLED=false', async () => {
    const many = async () => {
      for (let n = 0; n < 5; n++) expect((await ask({ email: 'ada' })).status).to.equal(200);
    };
    const rules = (max: number) => ({
      byAddress: [{ name: 'small', max, windowSeconds: 60 }],
      byAccount: [{ name: 'each', max, windowSeconds: 60 }],
    });
    await start({}, [limited(rules(0))]);
    await many();
    await app.close();
    await start({ RATE_LIMIT_ENABLED: 'false' }, [limited(rules(1))]);
    await many();
  });

  for (const [what, limits, says] of [
    ['two of one name', { byAddress: [rule('same'), rule('same')] }, 'two limits of one name'],
    ['one that is called general', { byAddress: [rule('general')] }, 'called general'],
    ['no account', { byAccount: [rule('each')] }, 'give account'],
    ['a negative number', { byAddress: [{ ...rule('small'), max: -1 }] }, 'cannot be kept'],
  ] as const) {
    it(`stop the start with ${what}`, async () => {
      const declared = { ...get('/bad', () => undefined), limits };
      const error = await serve({ routes: [declared] }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(StartupError);
      expect((error as Error).message)
        .to.include('GET /api/bad')
        .and.to.include(says);
    });
  }
});

function rule(name: string) {
  return { name, max: 1, windowSeconds: 60 };
}
