import { once } from 'node:events';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type Answer, bearer, post, request, signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { ALWAYS, answersIn, errorLines, expectProblem } from '../support/problem.ts';
import { sendRaw } from '../support/raw-http.ts';
import { type Service, startService } from '../support/service.ts';

const END = 'Host: x\r\nConnection: close\r\n\r\n';
const TO_LOGIN = 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

describe('a request that is out of the ordinary', () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(() => service.stop());

  const raw = async (bytes: string | Buffer): Promise<Answer> => {
    const [answer] = answersIn(await sendRaw(service.url, bytes));
    if (answer === undefined) throw new Error('Nothing was answered');
    return answer;
  };
  const accessLine = (requestId: string | null) =>
    eventually(() =>
      service.logLines().find((line) => line['logger'] === 'app.http.access' && line['request_id'] === requestId),
    );

  describe('that Node itself cannot read', () => {
    for (const [what, bytes, status, code] of [
      [
        '20 KB of one header',
        `GET / HTTP/1.1\r\nX-A: ${'a'.repeat(20_000)}\r\n${END}`,
        431,
        'request.headers_too_large',
      ],
      ['20 KB of path', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${END}`, 431, 'request.headers_too_large'],
      ['1,500 headers', `GET / HTTP/1.1\r\n${'a-header: b\r\n'.repeat(1500)}${END}`, 431, 'request.headers_too_large'],
      ['no request line', 'garbage\r\n\r\n', 400, 'request.malformed'],
      ['a TLS greeting', Buffer.from('16030100a5010000a1030300', 'hex'), 400, 'request.malformed'],
      ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'request.malformed'],
      ['a version that is none', `GET / HTTP/9.9\r\n${END}`, 400, 'request.malformed'],
      ['an unknown method', `FOO / HTTP/1.1\r\n${END}`, 400, 'request.malformed'],
      ['a method in lower case', `get / HTTP/1.1\r\n${END}`, 400, 'request.malformed'],
      ['a control character in a header', `GET / HTTP/1.1\r\nX-A: a\x01b\r\n${END}`, 400, 'request.malformed'],
      ['a null in a header', `GET / HTTP/1.1\r\nX-A: a\0b\r\n${END}`, 400, 'request.malformed'],
      ['a space in the name of a header', `GET / HTTP/1.1\r\nX A: b\r\n${END}`, 400, 'request.malformed'],
      ['a folded header', `GET / HTTP/1.1\r\nX-A: a\r\n b\r\n${END}`, 400, 'request.malformed'],
      ['a null in the path', `GET /a\0b HTTP/1.1\r\n${END}`, 400, 'request.malformed'],
      ['a space in the path', `GET /a b HTTP/1.1\r\n${END}`, 400, 'request.malformed'],
      [
        'bytes beyond ASCII in the path',
        Buffer.from(`GET /\xe9 HTTP/1.1\r\n${END}`, 'latin1'),
        400,
        'request.malformed',
      ],
      ['a path without a slash', `GET api HTTP/1.1\r\n${END}`, 400, 'request.malformed'],
      [
        'a length and chunks',
        `${TO_LOGIN}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n${END}`,
        400,
        'request.malformed',
      ],
      ['two lengths', `${TO_LOGIN}Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}`, 400, 'request.malformed'],
      ['a negative length', `${TO_LOGIN}Content-Length: -2\r\n\r\n{}`, 400, 'request.malformed'],
      ['a length with a plus', `${TO_LOGIN}Content-Length: +2\r\n\r\n{}`, 400, 'request.malformed'],
      [
        'chunks that are not last',
        `${TO_LOGIN}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
        400,
        'request.malformed',
      ],
      ['chunks by another name', `${TO_LOGIN}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400, 'request.malformed'],
      [
        'chunks packed once more',
        `${TO_LOGIN}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
        400,
        'request.bad_encoding',
      ],
      [
        'a chunk of no size',
        `${TO_LOGIN}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
        400,
        'request.malformed',
      ],
      [
        '20 KB of chunk extensions',
        `${TO_LOGIN}Transfer-Encoding: chunked\r\n\r\n2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
        413,
        'http.payload_too_large',
      ],
    ] as const) {
      it(`is answered in the same envelope, once, and the connection ends: ${what}`, async () => {
        const received = await sendRaw(service.url, bytes);
        const answers = answersIn(received);
        expect(answers).to.have.lengthOf(1);
        expectProblem(answers[0] as Answer, status, code);
        expect(answers[0]?.headers.get('connection')).to.equal('close');
      });
    }

    it('has an access line, and is counted under no name of the client', async () => {
      const answer = await raw(`FOO /${'x'.repeat(50)} HTTP/1.1\r\n${END}`);
      const line = await accessLine(answer.headers.get('x-request-id'));
      expect(line.extra).to.include({ method: '_OTHER', route: 'unmatched', status: 400 });
      const metrics = await request(`${service.url}/metrics/app_requests_total`);
      expect(metrics.text).to.match(/app_requests_total\{method="_OTHER",endpoint="unmatched",status="400"\} \d+/);
      expect(metrics.text).to.not.match(/FOO|xxxx|PROPFIND/);
    });
  });

  describe('to a path that nothing is served at', () => {
    for (const target of [
      '/nope',
      '/api',
      '/api/',
      '/api/users/me/',
      '/api/Users/me',
      '/API/users/me',
      '/api//users/me',
      '//api/users/me',
      '//evil.example',
      '///',
      '/api/users/../users/me',
      '/api/%61ctivity',
      '/api/activity%2f',
      '/%',
      '/api/%zz',
      '/api/%00',
      '/%1b[31m',
      '/api\\users\\me',
      '/health/',
      '/healthx',
      '/metricsx',
      '/metrics/',
      '/metrics/%zz',
      '/metrics/a%2fb',
      `/metrics/${'a'.repeat(101)}`,
      '/.env',
      `/${'a'.repeat(10_000)}`,
    ]) {
      it(`is 404: ${target.slice(0, 40)}`, async () => {
        const { status, body, headers } = await raw(`GET ${target} HTTP/1.1\r\n${END}`);
        expect(status).to.equal(404);
        expect(body).to.include({ code: 'http.not_found', instance: target });
        expect(body.detail.length).to.be.below(250);
        expect(headers.get('x-request-id')).to.equal(body.meta.request_id);
      });
    }

    it('is 404 for OPTIONS * too', async () => expectProblem(await raw(`OPTIONS * HTTP/1.1\r\n${END}`), 404));

    it('does not echo what could steer a terminal or a page', async () => {
      const { body } = await raw(`GET /<script>alert(1)</script>%1b]0;x%07 HTTP/1.1\r\n${END}`);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(body.detail).to.not.match(/[\x00-\x1f\x7f-\x9f\u202e]/);
    });
  });

  it('is served by its path when it names the whole URL, whoever it claims to talk to', async () => {
    const answer = await raw(`GET http://evil.example/api/users/me?x=1 HTTP/1.1\r\n${END}`);
    expectProblem(answer, 401, 'auth.token_missing');
    expect(answer.body.instance).to.equal('/api/users/me');
  });

  describe('with a method that is not served', () => {
    for (const method of ['DELETE', 'PATCH', 'PUT', 'POST', 'PROPFIND', 'TRACE', 'QUERY', 'LINK', 'M-SEARCH']) {
      it(`is 405 with what is, and all headers: ${method}`, async () => {
        const answer = await raw(`${method} /api/activity HTTP/1.1\r\nContent-Length: 0\r\n${END}`);
        expectProblem(answer, 405, 'http.method_not_allowed');
        expect(answer.headers.get('allow')).to.equal('GET, HEAD, OPTIONS');
      });

      it(`is 404 where nothing is: ${method}`, async () => {
        expectProblem(await raw(`${method} /nope HTTP/1.1\r\nContent-Length: 0\r\n${END}`), 404, 'http.not_found');
      });
    }

    it('is 405 for a GET of what is only posted to', async () => {
      const answer = await request(`${service.url}/api/auth/login`);
      expectProblem(answer, 405);
      expect(answer.headers.get('allow')).to.equal('OPTIONS, POST');
    });

    it('does not echo a TRACE', async () => {
      const { text } = await raw(`TRACE /api/users/me HTTP/1.1\r\nAuthorization: Bearer my-own-token\r\n${END}`);
      expect(text).to.not.contain('my-own-token');
    });

    it('is told by OPTIONS what is allowed, without a body', async () => {
      const answer = await raw(`OPTIONS /api/auth/login HTTP/1.1\r\n${END}`);
      expect({ status: answer.status, text: answer.text }).to.deep.equal({ status: 204, text: '' });
      expect(answer.headers.get('allow')).to.equal('OPTIONS, POST');
      for (const name of ALWAYS) expect(answer.headers.has(name), name).to.equal(true);
    });
  });

  it('by HEAD gets the head of the GET, and no body', async () => {
    const { accessToken } = await signIn(service.url);
    const paths = [
      '/',
      '/health',
      '/health/live',
      '/health/ready',
      '/metrics',
      '/metrics/app_',
      '/api/users/me',
      '/api/activity',
      '/nope',
    ];
    for (const path of paths) {
      const options = { headers: { ...bearer(accessToken), 'Accept-Encoding': 'identity' } };
      const got = await request(`${service.url}${path}`, options);
      const received = await sendRaw(
        service.url,
        `HEAD ${path} HTTP/1.1\r\nAuthorization: Bearer ${accessToken}\r\nAccept: */*\r\n${END}`,
      );
      const [head, ...rest] = received.split('\r\n\r\n');
      expect(rest.join(''), path).to.equal('');
      expect(head, path).to.match(new RegExp(`^HTTP/1.1 ${got.status} `));
      expect(head?.toLowerCase(), path).to.contain(`content-type: ${got.headers.get('content-type')?.toLowerCase()}`);
    }
  });

  describe('over one connection with others', () => {
    it('is answered in its turn', async () => {
      const login = JSON.stringify({ email: 'a@b.org', password: 'x' });
      const answers = answersIn(
        await sendRaw(
          service.url,
          `GET / HTTP/1.1\r\nHost: x\r\nX-Request-ID: one\r\n\r\n` +
            `${TO_LOGIN}X-Request-ID: two\r\nContent-Length: ${login.length}\r\n\r\n${login}` +
            `GET /nope HTTP/1.1\r\nHost: x\r\nX-Request-ID: three\r\n\r\n` +
            `GET / HTTP/1.1\r\nX-Request-ID: four\r\n${END}`,
        ),
      );
      expect(answers.map(({ status, headers }) => [status, headers.get('x-request-id')])).to.deep.equal([
        [200, 'one'],
        [401, 'two'],
        [404, 'three'],
        [200, 'four'],
      ]);
    });

    it('is not confused by a body that nobody read', async () => {
      const answers = answersIn(
        await sendRaw(
          service.url,
          `POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 32\r\n\r\nGET /api/users/me HTTP/1.1\r\nX: y\r\n` +
            `GET / HTTP/1.1\r\n${END}`,
        ),
      );
      expect(answers.map(({ status }) => status)).to.deep.equal([404, 200]);
    });
  });

  it('keeps the first of a header that may be there once', async () => {
    const answer = await raw(
      `GET /api/users/me HTTP/1.1\r\nAuthorization: Bearer a.b.c\r\nAuthorization: Basic eDp5\r\nX-Request-ID: a\r\nX-Request-ID: b\r\n${END}`,
    );
    expectProblem(answer, 401);
    expect(answer.headers.get('x-request-id'), 'two ids are none').to.match(/^[0-9a-f-]{36}$/);
  });

  it('with Expect: 100-continue is told to go on', async () => {
    const received = await sendRaw(
      service.url,
      `${TO_LOGIN}Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
    );
    expect(received).to.match(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 422 /);
  });

  describe('whose client goes away', () => {
    const open = async (bytes: string) => {
      const socket = net.connect(Number(new URL(service.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(bytes);
      return socket;
    };

    for (const [what, encoding] of [
      ['', ''],
      [' that is packed', 'Content-Encoding: gzip\r\n'],
    ] as const) {
      it(`in the middle of its body${what} is a 499 and no error`, async () => {
        const id = `gone-${encoding.length}`;
        const socket = await open(
          `${TO_LOGIN}X-Request-ID: ${id}\r\n${encoding}Expect: 100-continue\r\nContent-Length: 500\r\n\r\n`,
        );
        // That it may go on says that its body is being waited for.
        await once(socket, 'data');
        await new Promise((resolve) => socket.write(gzipSync('{"email":').subarray(0, 10), resolve));
        socket.resetAndDestroy();
        const line = await accessLine(id);
        expect(line['level']).to.equal('INFO');
        expect(line.extra).to.include({ route: '/api/auth/login', status: 499 });
      });
    }

    it('while it is worked on is a 499 and no error', async () => {
      const body = JSON.stringify({ email: 'a@b.org', password: 'x' });
      const login = `${TO_LOGIN}X-Request-ID: gone-early\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      // Passwords are hashed a few at a time: behind these, ours waits.
      const others = Array.from({ length: 12 }, () => post(`${service.url}/api/auth/login`, JSON.parse(body)));
      const socket = await open(`GET / HTTP/1.1\r\nHost: x\r\n\r\n${login}`);
      // Both came in one piece, so the answer to the first says that the second is being worked on.
      await once(socket, 'data');
      socket.resetAndDestroy();
      expect((await accessLine('gone-early')).extra).to.include({ status: 499 });
      await Promise.all(others);
    });

    it('between requests is nothing at all', async () => {
      const socket = await open('');
      socket.resetAndDestroy();
      expect((await request(`${service.url}/`)).status).to.equal(200);
    });
  });

  it('may send its body as slowly as it likes, within the time for it', async () => {
    const body = JSON.stringify({ email: 'a@b.org', password: 'x' });
    const socket = net.connect(Number(new URL(service.url).port), '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.write(`${TO_LOGIN}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n`);
    for (const character of body) {
      await new Promise((resolve) => socket.write(character, resolve));
    }
    await once(socket, 'close');
    expect(answersIn(received)[0]?.status).to.equal(401);
  });

  it('has left no error in the log', async () => {
    await request(`${service.url}/`, { headers: { 'X-Request-ID': 'the-last-one' } });
    await accessLine('the-last-one');
    expect(errorLines(service)).to.deep.equal([]);
    expect(service.process.exitCode).to.equal(null);
  });
});
