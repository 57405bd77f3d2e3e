import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { AppHttpError } from '../../../src/core/errors/app-http-error.ts';
import { getCurrentUserSessionWs, JwtService } from '../../../src/core/index.ts';
import { createSessionStore } from '../../../src/domains/auth/index.ts';
import { bearer, type SignedIn, signIn } from '../../support/client.ts';
import { startTestApp, type TestApp } from '../../support/test-app.ts';

const ACCESS = 'K7'.repeat(20);
const REFRESH = 'Q3'.repeat(20);

/** The answer to a handshake (RFC 6455 §4.2.2). */
const accepted = (key = '') => createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

describe('getCurrentUserSessionWs', () => {
  let app: TestApp;
  let user: SignedIn;
  let server: http.Server;
  let address: string;
  const asked: string[] = [];
  const sockets = new Set<Duplex>();

  before(async () => {
    app = await startTestApp({ ACCESS_TOKEN_SIGNING_KEY: ACCESS, REFRESH_TOKEN_SIGNING_KEY: REFRESH });
    const tokens = new JwtService({
      projectIdentifier: 'okapi',
      projectClientIdentifier: 'okapi-client',
      accessTokenTtlSeconds: 900,
      refreshTokenTtlSeconds: 900,
      accessKey: ACCESS,
      refreshKey: REFRESH,
    });
    const options = {
      decodeAccessToken: (token: string) => tokens.decodeAccessToken(token),
      sessions: createSessionStore(app.database),
    };
    server = http.createServer().listen(0, '127.0.0.1');
    server.on('upgrade', async (request, socket) => {
      sockets.add(socket);
      try {
        const { email } = await getCurrentUserSessionWs(request, options);
        asked.push(email);
        const key = accepted(request.headers['sec-websocket-key']);
        const chat = request.headers['sec-websocket-protocol'] === undefined ? '' : 'Sec-WebSocket-Protocol: chat\r\n';
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${chat}Sec-WebSocket-Accept: ${key}\r\n\r\n`,
        );
      } catch (error) {
        if (!(error instanceof AppHttpError)) throw error;
        socket.end(`HTTP/1.1 ${error.status} No\r\nX-Code: ${error.code}\r\nConnection: close\r\n\r\n`);
      }
    });
    await once(server, 'listening');
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(async () => {
    user = await signIn(app.url);
  });
  after(async () => {
    for (const open of sockets) open.destroy();
    server.close();
    await once(server, 'close');
    await app.stop();
  });

  /** Asks for the upgrade as a client that can set headers does; resolves to status and code. */
  const upgrade = async (headers: Record<string, string> = {}): Promise<[number | undefined, unknown]> => {
    const request = http.request(`http://${address}/chat`, {
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    request.end();
    const [response, socket] = await Promise.race([once(request, 'upgrade'), once(request, 'response')]);
    if (socket !== undefined) socket.destroy();
    else response.resume();
    return [response.statusCode, response.headers['x-code']];
  };

  it('knows who asks with a bearer token', async () => {
    expect(await upgrade(bearer(user.accessToken))).to.deep.equal([101, undefined]);
    expect(asked.at(-1)).to.equal(user.email);
  });

  it('knows who asks from a page, which can name sub-protocols alone', async () => {
    const socket = new WebSocket(`ws://${address}/chat`, ['chat', `bearer.${user.accessToken}`]);
    await once(socket, 'open');
    expect(socket.protocol, 'the token is not sent back').to.equal('chat');
    expect(asked.at(-1)).to.equal(user.email);
    const closed = once(socket, 'close');
    for (const open of sockets) open.destroy();
    await closed;
  });

  it('refuses who has no token, and one that is none', async () => {
    expect(await upgrade()).to.deep.equal([401, 'auth.token_missing']);
    expect(await upgrade({ 'Sec-WebSocket-Protocol': 'chat' })).to.deep.equal([401, 'auth.token_missing']);
    for (const token of ['x', user.refreshToken, `${user.accessToken}x`]) {
      expect(await upgrade(bearer(token))).to.deep.equal([401, 'auth.token_invalid']);
      expect(await upgrade({ 'Sec-WebSocket-Protocol': `chat, bearer.${token}` })).to.deep.equal([
        401,
        'auth.token_invalid',
      ]);
    }
  });

  it('refuses a session that has ended', async () => {
    await app.database.query({ text: 'update sessions set revoked_at = now() where id = $1' }, [user.sessionId]);
    expect(await upgrade(bearer(user.accessToken))).to.deep.equal([401, 'auth.token_invalid']);
  });
});
