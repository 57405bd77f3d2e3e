import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { createPost, type Outcome, retryAfterMs } from '../../../../src/core/telemetry/otlp/post.ts';

const PREFIX = 'OTEL_EXPORTER_OTLP_';
const BODY = Buffer.from('a batch of spans');

describe('sending a batch by OTLP', () => {
  type Asked = { req: IncomingMessage; body: Buffer; res: ServerResponse };
  let server: http.Server;
  let url: string;
  let answer: (asked: Asked) => void;
  const environment = { ...process.env };

  before(async () => {
    server = http.createServer(async (req, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      answer({ req, body: Buffer.concat(chunks), res });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith(PREFIX)) delete process.env[name];
    Object.assign(process.env, environment);
  });

  /** Sends one with these settings, which stand after `OTEL_EXPORTER_OTLP_`. */
  function send(settings: Record<string, string>, take: (asked: Asked) => void): Promise<Outcome> {
    answer = take;
    for (const [name, value] of Object.entries(settings)) process.env[PREFIX + name] = value;
    return createPost('TRACES')(BODY.subarray(0, 2), BODY.subarray(2));
  }
  const answered = (status: number, headers = {}, body: Buffer | string = '') =>
    send({ ENDPOINT: url }, ({ res }) => res.writeHead(status, headers).end(body));

  it('goes where the standard variables say, with their headers', async () => {
    let seen: Asked | undefined;
    const settings = {
      ENDPOINT: 'http://127.0.0.1:1',
      TRACES_ENDPOINT: `${url}/here`,
      HEADERS: 'a=1',
      TRACES_HEADERS: 'b=2',
    };
    const outcome = await send(settings, (asked) => {
      seen = asked;
      asked.res.end();
    });
    expect(outcome).to.deep.equal({ kind: 'accepted', rejected: 0, isSent: true });
    expect(seen?.req.url).to.equal('/here');
    expect(seen?.req.headers).to.include({ a: '1', b: '2', 'content-type': 'application/x-protobuf' });
    expect(seen?.body).to.deep.equal(BODY);
  });

  it('leaves nothing behind on the connection that all of them share', async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on('warning', warn);
    const ports = new Set<number | undefined>();
    answer = ({ req, res }) => {
      ports.add(req.socket.remotePort);
      res.end();
    };
    process.env[`${PREFIX}ENDPOINT`] = url;
    const post = createPost('TRACES');
    // Node warns of the eleventh listener of one kind.
    for (let batch = 0; batch < 12; batch++) await post(BODY, BODY);
    await new Promise(setImmediate);
    process.off('warning', warn);
    expect(ports.size).to.equal(1);
    expect(warnings).to.deep.equal([]);
  });

  it('is compressed when asked to', async () => {
    let body = Buffer.alloc(0);
    await send({ ENDPOINT: url, COMPRESSION: 'gzip' }, ({ req, body: sent, res }) => {
      expect(req.headers['content-encoding']).to.equal('gzip');
      body = gunzipSync(sent);
      res.end();
    });
    expect(body).to.deep.equal(BODY);
  });

  it('knows a partial success, and takes an answer in other words for a whole one', async () => {
    const partial = Buffer.from([0x0a, 0x02, 0x08, 0x07]);
    expect(await answered(200, {}, partial)).to.deep.equal({ kind: 'accepted', rejected: 7, isSent: true });
    expect(await answered(202, {}, 'thank you')).to.deep.equal({ kind: 'accepted', rejected: 0, isSent: true });
  });

  it('is tried again where the protocol says so, and no sooner than the receiver asks', async () => {
    for (const status of [429, 502, 503, 504]) {
      expect(await answered(status, { 'Retry-After': '7' })).to.deep.equal({
        kind: 'later',
        status,
        retryAfterMs: 7000,
      });
    }
    for (const status of [302, 400, 401, 404, 413, 500, 501]) {
      expect(await answered(status)).to.deep.equal({ kind: 'refused', status });
    }
  });

  it('may have arrived when the connection ends without an answer, and has not where there is none', async () => {
    expect(await send({ ENDPOINT: url }, ({ res }) => res.destroy())).to.include({ kind: 'unanswered', wasSent: true });
    const half = await send({ ENDPOINT: url }, ({ res }) => {
      res.writeHead(200, { 'Content-Length': 10 }).write('half');
      setImmediate(() => res.destroy());
    });
    expect(half).to.include({ kind: 'unanswered', wasSent: true });
    const nobody = await send({ ENDPOINT: 'http://127.0.0.1:1' }, () => undefined);
    expect(nobody).to.deep.equal({ kind: 'unanswered', reason: 'ECONNREFUSED', wasSent: false });
  });

  it('is given up after OTEL_EXPORTER_OTLP_TIMEOUT', async () => {
    const outcome = await send({ ENDPOINT: url, TIMEOUT: '50' }, () => undefined);
    expect(outcome).to.deep.equal({ kind: 'unanswered', reason: 'no answer within 50 ms', wasSent: true });
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1);

  it('is seconds or a date, and nothing else', () => {
    expect(retryAfterMs('12', now)).to.equal(12_000);
    expect(retryAfterMs(new Date(now + 5000).toUTCString(), now)).to.equal(5000);
    for (const value of [undefined, '', '-3', 'soon', '0', new Date(now - 5000).toUTCString()]) {
      expect(retryAfterMs(value, now), value).to.equal(0);
    }
  });
});
