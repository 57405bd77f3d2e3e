import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';
import { ServiceUnavailableError } from '../../../src/core/errors/app-http-error.ts';
import { createHttpClient } from '../../../src/core/http/http-client.ts';
import type { Route } from '../../../src/core/http/route.ts';
import { fetchInstrumentation } from '../../../src/core/telemetry/outgoing-http.ts';
import { setTracing } from '../../../src/core/telemetry/spans/tracing.ts';
import { request } from '../../support/client.ts';
import { freePort as closedPort } from '../../support/free-port.ts';
import { collectSpans, get, serve, type TestApp } from './harness.ts';

type Asked = { method: string; url: string; headers: http.IncomingHttpHeaders; body: string };

describe('a call to another server', () => {
  const asked: Asked[] = [];
  let isSilent = false;
  let closed = Promise.withResolvers<void>();
  const other = http.createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = req;
    asked.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    res.once('close', closed.resolve);
    if (isSilent) return;
    const status = Number(/\d{3}$/.exec(url)?.[0] ?? 200);
    res.writeHead(status, { Location: '/elsewhere' }).end('{"fine":true}');
  });
  const apps: TestApp[] = [];
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const instrumentation = fetchInstrumentation();
  let baseUrl: string;

  before(async () => {
    collectSpans();
    instrumentation.setTracerProvider(provider);
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    baseUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}/v1`;
  });
  beforeEach(() => {
    asked.length = 0;
    exporter.reset();
    isSilent = false;
    closed = Promise.withResolvers();
  });
  after(async () => {
    await Promise.all(apps.map((app) => app.close()));
    other.closeAllConnections();
    other.close();
    instrumentation.disable();
    setTracing();
  });

  const clientOf = (url = baseUrl, timeoutMs = 60_000) =>
    createHttpClient({ baseUrl: url, timeoutMs, headers: { 'X-Key': 'k' } });
  const start = async (handler: Route['handler'], env: Record<string, string> = {}) => {
    const app = await serve({ routes: [get('/ask', handler)], env });
    apps.push(app);
    return app;
  };

  it('carries the trace, the request id and the time that is left of the request in which it is made', async () => {
    const client = clientOf();
    const app = await start(
      async (ctx) => {
        const answer = await client.request('things?of=me', {
          method: 'POST',
          json: { a: 'ü' },
          headers: { 'x-key': 'l' },
        });
        ctx.respond.success(await answer.json());
      },
      { REQUEST_TIMEOUT_MS: '20000' },
    );
    const answer = await request(`${app.url}/api/ask`, { headers: { 'X-Request-ID': 'mine', baggage: 'a=secret' } });
    expect(answer.body.data).to.deep.equal({ fine: true });
    const [call] = asked;
    expect(call).to.include({ method: 'POST', url: '/v1/things?of=me', body: '{"a":"ü"}' });
    expect(call?.headers).to.include({ 'x-request-id': 'mine', 'content-type': 'application/json', 'x-key': 'l' });
    expect(call?.headers).to.not.have.property('baggage');
    expect(Number(call?.headers['x-request-timeout-ms'])).to.be.within(1, 20_000);
    const [span] = exporter.getFinishedSpans();
    const [, traceId, parentId] = (answer.headers.get('traceresponse') ?? '').split('-');
    const { traceId: own, spanId } = span?.spanContext() ?? {};
    expect(call?.headers['traceparent']).to.contain(`00-${traceId}-${spanId}-`);
    expect(own).to.equal(traceId);
    expect(span?.parentSpanContext?.spanId).to.equal(parentId);
    expect(span).to.include({ name: 'POST', kind: SpanKind.CLIENT });
    expect(span?.attributes).to.include({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'url.full': `${baseUrl}/things?of=[redacted]`,
      'url.query': '?of=[redacted]',
    });
  });

  it('hands over whatever is answered, redirects and errors too, and marks the span of an error', async () => {
    const statuses: number[] = [];
    const client = clientOf();
    const app = await start(async (ctx) => {
      for (const status of [302, 404, 500]) {
        const answer = await client.request(`/answers/${status}`);
        statuses.push(answer.status);
        await answer.body?.cancel();
      }
      ctx.respond.success(null);
    });
    expect((await request(`${app.url}/api/ask`)).status).to.equal(200);
    expect(statuses).to.deep.equal([302, 404, 500]);
    expect(asked).to.have.lengthOf(3);
    const { UNSET, ERROR } = SpanStatusCode;
    expect(exporter.getFinishedSpans().map(({ status }) => status.code)).to.deep.equal([UNSET, ERROR, ERROR]);
  });

  it('ends when the deadline of the request has passed, and so does the other side', async () => {
    isSilent = true;
    const client = clientOf();
    const app = await start(
      async (ctx) => {
        await client.request('slow');
        ctx.respond.success(null);
      },
      { REQUEST_TIMEOUT_MS: '150' },
    );
    const answer = await request(`${app.url}/api/ask`);
    expect(answer.status).to.equal(503);
    expect(answer.body.code).to.equal('request.deadline');
    await closed.promise;
  });

  it('is 503 for a server that is away or takes too long, without a word of where it is', async () => {
    isSilent = true;
    for (const client of [clientOf(`http://127.0.0.1:${await closedPort()}`), clientOf(baseUrl, 30)]) {
      const app = await start(async (ctx) => {
        await client.request('things');
        ctx.respond.success(null);
      });
      const { status, body, text } = await request(`${app.url}/api/ask`);
      expect(status).to.equal(503);
      expect(body.code).to.equal('upstream.unavailable');
      expect(text).to.not.contain('127.0.0.1');
    }
    const types = exporter.getFinishedSpans().map(({ attributes }) => attributes['error.type']);
    expect(types).to.deep.equal(['ECONNREFUSED', 'TimeoutError']);
  });

  it('is called off by a signal of its own, and begins no trace outside of a request', async () => {
    isSilent = true;
    const controller = new AbortController();
    const calling = clientOf().request('slow', { signal: controller.signal });
    const reason = new Error('The task was cancelled');
    controller.abort(reason);
    expect(await calling.catch((error: unknown) => error)).to.equal(reason);
    isSilent = false;
    await (await clientOf().request('things')).body?.cancel();
    expect(asked.at(-1)?.headers).to.not.have.any.keys('traceparent', 'x-request-id');
    expect(exporter.getFinishedSpans()).to.deep.equal([]);
  });

  it('leads nowhere else, whatever stands in the path', async () => {
    for (const path of ['../admin', 'http://evil.example/', 'a/../../b', 'https:evil', '\\\\evil.example/x']) {
      const error = await clientOf()
        .request(path)
        .catch((thrown: unknown) => thrown);
      expect(error, path).to.be.instanceOf(TypeError);
    }
    await (await clientOf().request('//evil.example/x')).body?.cancel();
    expect(asked.map(({ url }) => url)).to.deep.equal(['/v1/evil.example/x']);
    for (const url of ['http://user:pw@127.0.0.1/', 'http://127.0.0.1/?a=1', 'nonsense']) {
      expect(() => clientOf(url))
        .to.throw(TypeError)
        .with.property('message')
        .that.does.not.contain('pw');
    }
  });

  it('fails as what a domain can catch', async () => {
    const error = await clientOf('http://127.0.0.1:1', 5_000)
      .request('things')
      .catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(ServiceUnavailableError).with.property('cause');
  });
});
