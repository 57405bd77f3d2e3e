import { expect } from 'chai';
import { request } from '../support/client.ts';
import { expectProblem } from '../support/problem.ts';
import { type Service, startService } from '../support/service.ts';

describe('the documentation', () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(() => service.stop());

  it('is there in development: the description as JSON, and the page', async () => {
    const { status, body, headers } = await request(`${service.url}/openapi.json`);
    expect(status).to.equal(200);
    expect(headers.get('content-type')).to.equal('application/json; charset=utf-8');
    expect(body.openapi).to.match(/^3\.1\./);
    expect(body.info).to.include({ title: 'Okapi' });
    expect(body.paths['/api/auth/login'].post.requestBody.content).to.have.keys('application/json');
    expect((await request(`${service.url}/docs`)).headers.get('content-type')).to.equal('text/html; charset=utf-8');
  });

  it('is a page with nothing of another host and nothing inline, and a policy that allows neither', async () => {
    const { text, headers } = await request(`${service.url}/docs`);
    const policy = Object.fromEntries(
      (headers.get('content-security-policy') ?? '').split(';').map((each) => {
        const [name = '', ...sources] = each.trim().split(' ');
        return [name, sources];
      }),
    );
    expect(policy).to.deep.equal({
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'style-src': ["'self'"],
      'img-src': ["'self'", 'data:'],
      'connect-src': ["'self'"],
      'frame-ancestors': ["'none'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
    });
    expect(text).to.not.match(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?:|"\/\//);
    const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
    expect(files).to.have.lengthOf(4);
    for (const file of files) {
      const answer = await request(new URL(file, `${service.url}/docs`).href);
      expect(answer.status, file).to.equal(200);
      expect(answer.headers.get('x-content-type-options')).to.equal('nosniff');
      // The policy is wide for the page alone.
      expect(answer.headers.get('content-security-policy')).to.contain("default-src 'none'").and.not.contain('self');
    }
    const start = await request(`${service.url}/docs/start.js`);
    expect(start.headers.get('content-type')).to.equal('text/javascript; charset=utf-8');
    expect(start.text).to.contain("url: 'openapi.json'").and.contain('validatorUrl: null');
  });

  it('serves no other file', async () => {
    for (const file of ['package.json', '..%2fpackage.json', 'swagger-ui.js.map', 'constructor', '%00']) {
      expectProblem(await request(`${service.url}/docs/${file}`), 404, 'http.not_found');
    }
  });
});
