import { expect } from 'chai';
import fc from 'fast-check';
import { authenticate, getCurrentUserSession, type Principal } from '../../../src/core/http/authenticate.ts';
import type { RouteContext } from '../../../src/core/http/route.ts';
import { InvalidTokenError, type TokenClaims } from '../../../src/core/security/tokens.ts';
import { request } from '../../support/client.ts';
import { expectProblem } from '../../support/problem.ts';
import { get, serve, type TestApp } from './harness.ts';

const RUNS = { numRuns: 200 };
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/';

/** RFC 6750 §2.1, with spaces of which HTTP allows any number. */
const credentials = fc.record({
  scheme: fc.constantFrom('Bearer', 'bearer', 'BEARER'),
  spaces: fc.integer({ min: 1, max: 4 }),
  token: fc
    .tuple(fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 1, maxLength: 200 }), fc.nat({ max: 3 }))
    .map(([text, padding]) => text + '='.repeat(padding)),
});
const IS_BEARER = /^bearer +[A-Za-z0-9\-._~+/]+=* *$/i;
/** What may stand in a header at all: Node refuses the rest. */
const inHeader = fc
  .integer({ min: 0x20, max: 0xff })
  .filter((code) => code !== 0x7f)
  .map((code) => String.fromCharCode(code));

describe('an Authorization header, whatever it says,', () => {
  let app: TestApp;
  let asked: string[] = [];
  before(async () => {
    // It knows nobody: what is under test is what it is asked.
    const decodeAccessToken = async (token: string): Promise<never> => {
      asked.push(token);
      throw new InvalidTokenError('signature');
    };
    const sessions = { findActiveSession: async () => undefined };
    const guarded = { ...get('/guarded', () => undefined), authenticated: true };
    app = await serve({ routes: [guarded], authenticate: authenticate({ decodeAccessToken, sessions }) });
  });
  beforeEach(() => {
    asked = [];
  });
  after(() => app.close());

  const send = (authorization: string) => request(`${app.url}/api/guarded`, { headers: { authorization } });

  it('is asked about with exactly the token that it holds', async () => {
    await fc.assert(
      fc.asyncProperty(credentials, async ({ scheme, spaces, token }) => {
        asked = [];
        expectProblem(await send(`${scheme}${' '.repeat(spaces)}${token}`), 401, 'auth.token_invalid');
        expect(asked).to.deep.equal([token]);
      }),
      RUNS,
    );
  });

  it('is not asked about again when its token is known, and worth nothing once its session has ended', async () => {
    const known = { sub: 'user', sid: 'session' } as TokenClaims;
    const alive = { userId: 'user', sessionId: 'session', roles: [], email: 'a@example.org', createdAt: new Date() };
    let found: Principal | undefined = alive;
    const guard = authenticate({
      decodeAccessToken: () => Promise.reject(new Error('known already')),
      knownClaims: () => known,
      sessions: { findActiveSession: async (sid, sub) => (sid === 'session' && sub === 'user' ? found : undefined) },
    });
    const handler = (ctx: RouteContext) => ctx.respond.success(getCurrentUserSession(ctx).email);
    const own = await serve({ routes: [{ ...get('/guarded', handler), authenticated: true }], authenticate: guard });
    const ask = () => request(`${own.url}/api/guarded`, { headers: { authorization: 'Bearer abc' } });
    try {
      expect((await ask()).body.data).to.equal('a@example.org');
      found = undefined;
      expectProblem(await ask(), 401, 'auth.token_invalid');
    } finally {
      await own.close();
    }
  });

  it('is a 401, and nobody is asked about it, when it is no bearer token', async () => {
    const piece = fc.constantFrom('Bearer', 'Basic', ' ', 'abc', '=', ',', '"', 'token=', '\t', 'é', ';');
    const almost = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    const text = fc.string({ unit: inHeader, maxLength: 300 });
    const anything = fc.oneof(
      text,
      almost,
      text.map((junk) => `Bearer ${junk}`),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (header) => {
        fc.pre(!IS_BEARER.test(header.trim()));
        const answer = await send(header);
        expectProblem(answer, 401);
        expect(answer.headers.get('www-authenticate')).to.match(/^Bearer/);
        if (header.trim().length > 8) expect(answer.text, 'nothing of it comes back').to.not.contain(header.trim());
        expect(asked).to.deep.equal([]);
      }),
      RUNS,
    );
  });

  it('is a 401, and nobody is asked about it, when it is longer than any token', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 4097, max: 12_000 }), async (length) => {
        expectProblem(await send(`Bearer ${'a'.repeat(length)}`), 401, 'auth.token_invalid');
        expect(asked).to.deep.equal([]);
      }),
      { numRuns: 20 },
    );
  });
});
