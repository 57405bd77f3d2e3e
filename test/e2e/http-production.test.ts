import { expect } from 'chai';
import { post, request, signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { errorLines, expectProblem } from '../support/problem.ts';
import { type Service, startService } from '../support/service.ts';

const PRODUCTION = {
  ENVIRONMENT: 'production',
  ACCESS_TOKEN_SIGNING_KEY: 'mF8jw0Qp1vYb7TzKx3Lr9Nc5Hs2Gd6Ue4Wa',
  REFRESH_TOKEN_SIGNING_KEY: 'Zt5Yk8Bn2Xc9Vm4Qw7Er1Ty6Ui3Op0As',
  CORS_ALLOW_ORIGINS: 'https://app.example.org',
  TRUST_PROXY: '1',
  SHUTDOWN_DELAY_MS: '0',
  HOST: '127.0.0.1',
};
const TOKEN = 'a-token-of-metrics';

describe('in production', () => {
  let closed: Service;
  let withToken: Service;
  let withPort: Service;
  let metricsUrl: string;
  before(async () => {
    const port = await freePort();
    metricsUrl = `http://127.0.0.1:${port}`;
    [closed, withToken, withPort] = await Promise.all([
      startService({ env: PRODUCTION }),
      startService({ env: { ...PRODUCTION, METRICS_TOKEN: TOKEN, DOCS_ENABLED: 'true' } }),
      startService({ env: { ...PRODUCTION, METRICS_PORT: String(port) } }),
    ]);
  });
  after(() => Promise.all([closed, withToken, withPort].map((service) => service.stop())));

  it('nobody sees the metrics or the details of health on the public port', async () => {
    for (const path of ['/metrics', '/metrics/app_']) expectNothing(await request(`${closed.url}${path}`));
    for (const path of ['/health', '/health/ready']) {
      const { status, body } = await request(`${closed.url}${path}`);
      expect(status).to.equal(200);
      expect(body.data).to.have.property('status').that.is.oneOf(['ok', 'degraded']);
      expect(body.data).to.not.have.any.keys('dependencies', 'faults', 'draining');
    }
  });

  it('without SMTP_URL nobody can have a password reset, whoever they are, and accounts are made all the same', async () => {
    const { email } = await signIn(closed.url);
    for (const address of [email, 'nobody@example.org', 'no address']) {
      const answer = await post(`${closed.url}/api/auth/password/forgot`, { email: address });
      expectProblem(answer, 503, 'mail.unavailable');
      expect(answer.body.detail).to.equal('No mail can be sent here');
    }
    const warnings = closed.logLines().filter(({ level }) => level === 'WARNING');
    expect(warnings.map(({ message }) => message).join()).to.include('No mail can be sent: set SMTP_URL');
  });

  it('nobody sees the documentation unless DOCS_ENABLED', async () => {
    for (const path of ['/docs', '/openapi.json', '/docs/swagger-ui.css']) {
      expectNothing(await request(`${closed.url}${path}`));
      expect((await request(`${withToken.url}${path}`)).status).to.equal(200);
      expectProblem(await request(`${metricsUrl}${path}`), 404, 'http.not_found');
    }
  });

  it('who has METRICS_TOKEN sees both', async () => {
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const metrics = await request(`${withToken.url}/metrics`, { headers });
    expect(metrics.status).to.equal(200);
    expect(metrics.text).to.contain('# TYPE app_requests_total counter');
    const health = await request(`${withToken.url}/health/ready`, { headers });
    expect(health.body.data.dependencies.postgres).to.include({ state: 'up', last_error: null });
    for (const wrong of [{}, { Authorization: 'Bearer wrong' }]) {
      const { status, headers: refused } = await request(`${withToken.url}/metrics`, { headers: wrong });
      expect(status).to.equal(401);
      expect(refused.get('www-authenticate')).to.equal('Bearer');
      expect((await request(`${withToken.url}/health`, { headers: wrong })).body.data).to.have.all.keys('status');
    }
  });

  it('METRICS_PORT serves both, and nothing else', async () => {
    expect((await request(`${metricsUrl}/metrics`)).status).to.equal(200);
    expect((await request(`${metricsUrl}/health`)).body.data).to.include.keys('dependencies');
    for (const path of ['/', '/api/users/me', '/api/auth/login']) {
      expectProblem(await request(`${metricsUrl}${path}`), 404, 'http.not_found');
    }
    expectNothing(await request(`${withPort.url}/metrics`));
    expect((await request(`${withPort.url}/health`)).body.data).to.have.all.keys('status');
    expect((await request(`${withPort.url}/api/users/me`)).status).to.equal(401);
  });

  it('metrics and health count nowhere, and have no line', async () => {
    for (const path of ['/metrics', '/health', '/health/live', '/health/ready', '/metrics/nothing_']) {
      await request(`${metricsUrl}${path}`);
    }
    const { body } = await request(`${withPort.url}/api/nope`);
    const lines = () => withPort.logLines().filter((line) => line['logger'] === 'app.http.access');
    await eventually(() => lines().some((line) => line['request_id'] === body.meta.request_id));
    expect(lines().map((line) => line.extra?.['route']))
      .to.not.include('/health')
      .and.not.include('/metrics');
    const { text } = await request(`${metricsUrl}/metrics/app_requests`);
    expect(text)
      .to.contain('endpoint="unmatched"')
      .and.not.match(/endpoint="\/(health|metrics)/);
  });

  it('the address of a client is what the proxy in front says, and nothing that the client says', async () => {
    const { body } = await request(`${closed.url}/api/nope`, { headers: { 'X-Forwarded-For': '6.6.6.6, 192.0.2.7' } });
    const line = await eventually(() => closed.logLines().find((each) => each['request_id'] === body.meta.request_id));
    expect(line.extra).to.include({ ip: '192.0.2.7' });
  });

  it('only a listed origin is answered', async () => {
    const ask = async (origin: string) =>
      (await request(`${closed.url}/`, { headers: { Origin: origin } })).headers.get('access-control-allow-origin');
    expect(await ask('https://app.example.org')).to.equal('https://app.example.org');
    expect(await ask('https://evil.example')).to.equal(null);
  });

  it('secrets stand in no line of the log and on no stream', async () => {
    const user = await signIn(withToken.url, { email: 'quiet@example.org', password: 'never-to-be-written' });
    await request(`${withToken.url}/api/users/me`, { headers: { Authorization: `Bearer ${user.accessToken}` } });
    const { body } = await request(`${withToken.url}/api/nope?token=${TOKEN}`, {
      headers: { Authorization: `Bearer ${TOKEN}` },
    });
    await eventually(() => withToken.logLines().some((line) => line['request_id'] === body.meta.request_id));
    const written = JSON.stringify(withToken.logLines()) + withToken.stdout() + withToken.stderr();
    for (const secret of [
      user.password,
      user.accessToken,
      user.refreshToken,
      TOKEN,
      ...Object.values(PRODUCTION).slice(1, 3),
    ]) {
      expect(written).to.not.contain(secret);
    }
  });

  it('nothing of this was an error but that there was no mail server', () => {
    const route = '/api/auth/password/forgot';
    const others = [closed, withToken, withPort].flatMap(errorLines).filter(({ extra }) => extra?.['route'] !== route);
    expect(others).to.deep.equal([]);
  });

  function expectNothing({ status, body }: Awaited<ReturnType<typeof request>>): void {
    expect(status).to.equal(404);
    expect(body.code).to.equal('http.not_found');
  }
});
