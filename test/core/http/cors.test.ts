import { expect } from 'chai';
import { request } from '../../support/client.ts';
import { get, serve, type TestApp } from './harness.ts';

const LISTED = 'https://app.example.org';
const STRANGER = 'https://evil.example';
const EXPOSED = 'X-Request-ID, traceresponse, Retry-After, RateLimit, RateLimit-Policy';

type Expected = Record<string, string | null>;

function corsHeaders(headers: Headers): Expected {
  const found = [...headers].filter(
    ([name]) => name.startsWith('access-control-') && name !== 'access-control-expose-headers',
  );
  return Object.fromEntries(found.map(([name, value]) => [name.replace('access-control-', ''), value]));
}

const fails = get('/fails', () => {
  throw new Error('no');
});

describe('CORS', () => {
  const apps: TestApp[] = [];
  const start = async (env: Record<string, string>) => {
    const app = await serve({ env, routes: [get('/ok', (ctx) => ctx.respond.success({})), fails] });
    apps.push(app);
    return `${app.url}/api/ok`;
  };
  const ask = (url: string, origin?: string) =>
    request(url, { headers: origin === undefined ? {} : { Origin: origin } });
  const preflight = (url: string, origin: string, headers = 'authorization,content-type') =>
    request(url, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        ...(headers === '' ? {} : { 'Access-Control-Request-Headers': headers }),
      },
    });
  after(() => Promise.all(apps.map((app) => app.close())));

  describe('with listed origins and credentials', () => {
    let url: string;
    before(async () => {
      url = await start({ CORS_ALLOW_ORIGINS: `${LISTED},https://two.example.org`, CORS_ALLOW_CREDENTIALS: 'true' });
    });

    it('answers a listed origin with itself, and lets it use credentials', async () => {
      const { headers } = await ask(url, LISTED);
      expect(corsHeaders(headers)).to.deep.equal({ 'allow-origin': LISTED, 'allow-credentials': 'true' });
      expect(headers.get('access-control-expose-headers')).to.equal(EXPOSED);
      expect(headers.get('vary')).to.match(/\bOrigin\b/);
    });

    it('is the same on an answer that is an error', async () => {
      const { status, headers } = await ask(url.replace('/ok', '/nope'), LISTED);
      expect(status).to.equal(404);
      expect(corsHeaders(headers)).to.deep.equal({ 'allow-origin': LISTED, 'allow-credentials': 'true' });
      expect(headers.get('vary')).to.match(/\bOrigin\b/);
    });

    for (const origin of [
      STRANGER,
      'null',
      `${LISTED}.evil.example`,
      'https://app.example.org:8443',
      'http://app.example.org',
    ]) {
      it(`never reflects an origin that is not listed: ${origin}`, async () => {
        const { status, headers } = await ask(url, origin);
        expect(status).to.equal(200);
        expect(corsHeaders(headers)).to.deep.equal({});
        expect(headers.get('vary')).to.match(/\bOrigin\b/);
      });
    }

    it('says Vary: Origin also to a caller without one, so that a cache does not mix them up', async () => {
      const { headers } = await ask(url);
      expect(corsHeaders(headers)).to.deep.equal({});
      expect(headers.get('vary')).to.match(/\bOrigin\b/);
    });

    it('answers a preflight of a listed origin with the method and the headers that were asked for', async () => {
      const { status, headers, text } = await preflight(url, LISTED);
      expect({ status, text }).to.deep.equal({ status: 204, text: '' });
      expect(corsHeaders(headers)).to.deep.equal({
        'allow-origin': LISTED,
        'allow-credentials': 'true',
        'allow-methods': 'POST',
        'allow-headers': 'authorization,content-type',
      });
      expect(headers.get('vary'))
        .to.match(/Origin/)
        .and.match(/Access-Control-Request-Method/)
        .and.match(/Access-Control-Request-Headers/);
    });

    it('is the same on every answer that is none of a handler', async () => {
      for (const [path, init, status] of [
        ['/api/nope', {}, 404],
        ['/api/ok', { method: 'DELETE' }, 405],
        ['/api/fails', {}, 500],
      ] as const) {
        const answer = await request(`${new URL(url).origin}${path}`, { ...init, headers: { Origin: LISTED } });
        expect(answer.status, path).to.equal(status);
        expect(corsHeaders(answer.headers), path).to.deep.equal({
          'allow-origin': LISTED,
          'allow-credentials': 'true',
        });
        expect(answer.headers.get('access-control-expose-headers'), path).to.equal(EXPOSED);
      }
    });

    it('answers a preflight for a method that no route has yet', async () => {
      const asks = { Origin: LISTED, 'Access-Control-Request-Method': 'PURGE' };
      const { headers } = await request(url, { method: 'OPTIONS', headers: asks });
      expect(headers.get('access-control-allow-methods')).to.equal('PURGE');
    });

    it('takes an OPTIONS that asks for no method for what it is', async () => {
      const { headers } = await request(url, { method: 'OPTIONS', headers: { Origin: LISTED } });
      expect(headers.get('allow')).to.equal('GET, HEAD, OPTIONS');
      expect(headers.has('access-control-allow-methods')).to.equal(false);
    });

    it('refuses the preflight of a stranger by saying nothing', async () => {
      expect(corsHeaders((await preflight(url, STRANGER)).headers)).to.deep.equal({});
    });
  });

  it('answers * without credentials where development lists nobody', async () => {
    const url = await start({ CORS_ALLOW_ORIGINS: '*', CORS_ALLOW_CREDENTIALS: 'true' });
    for (const origin of [STRANGER, undefined]) {
      const { headers } = await ask(url, origin);
      expect(corsHeaders(headers)).to.deep.equal({ 'allow-origin': '*' });
      expect(headers.get('access-control-expose-headers')).to.equal(EXPOSED);
      expect(headers.has('vary'), 'it is the same for every caller').to.equal(false);
    }
    expect(corsHeaders((await preflight(url, STRANGER)).headers))
      .to.include({ 'allow-origin': '*' })
      .and.not.have.property('allow-credentials');
  });

  it('allows only the methods and headers that are listed', async () => {
    const url = await start({
      CORS_ALLOW_ORIGINS: LISTED,
      CORS_ALLOW_CREDENTIALS: 'false',
      CORS_ALLOW_METHODS: 'GET,POST',
      CORS_ALLOW_HEADERS: 'Authorization',
    });
    expect(corsHeaders((await preflight(url, LISTED, 'x-other')).headers)).to.deep.equal({
      'allow-origin': LISTED,
      'allow-methods': 'GET,POST',
      'allow-headers': 'Authorization',
    });
  });

  it('knows a listed origin however its host was written in the settings', async () => {
    const url = await start({ CORS_ALLOW_ORIGINS: 'https://App.Example.org' });
    expect(corsHeaders((await ask(url, LISTED)).headers)).to.include({ 'allow-origin': LISTED });
  });
});
