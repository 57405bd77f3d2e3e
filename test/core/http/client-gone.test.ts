import { once } from 'node:events';
import net from 'node:net';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { NotFoundError } from '../../../src/core/errors/app-http-error.ts';
import { stopLogger } from '../../../src/core/logging/index.ts';
import { eventually } from '../../support/eventually.ts';
import { type FakeConsole, start as startLogging } from '../logging/harness.ts';
import { errorsOf, get, requestsOf, serve, type TestApp } from './harness.ts';

/** What handlers throw once nobody waits for them any more, and whether that is told. */
const THROWN: readonly [name: string, make: () => unknown, isTold: boolean][] = [
  ['a mistake of ours', () => new TypeError('undefined is no function'), true],
  ['what is no error', () => 'thrown text', true],
  ['an answer that nobody hears', () => new NotFoundError('No'), false],
  ['work that was called off', () => AbortSignal.abort().reason, false],
  ['a connection that was lost', () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), false],
  ['a statement that was called off', () => Object.assign(new Error('canceling'), { code: '57014' }), false],
];

describe('what fails when its client has gone', () => {
  let app: TestApp;
  let leavers = 0;
  let console: FakeConsole;
  let entered: PromiseWithResolvers<void>;
  let hold: PromiseWithResolvers<void>;

  before(async () => {
    await stopLogger();
    ({ console } = startLogging({ files: false }));
    const failing = THROWN.map(([, make], index) =>
      get(`/gone/${index}`, async () => {
        entered.resolve();
        await hold.promise;
        throw make();
      }),
    );
    app = await serve({
      routes: [
        ...failing,
        get('/gone/stream', (ctx) => {
          ctx.body = Readable.from(
            (async function* () {
              try {
                yield 'first';
                await hold.promise;
                yield 'second';
              } finally {
                // biome-ignore lint/correctness/noUnsafeFinally: a clean-up that fails is what this is about
                throw new TypeError('the clean-up failed');
              }
            })(),
          );
          entered.resolve();
        }),
      ],
    });
  });
  after(async () => {
    await app.close();
    await stopLogger();
  });

  /** Sends a request, leaves while it is worked on, and lets the work go on once the service has noticed. */
  async function leave(path: string): Promise<string> {
    const id = `leaver-${++leavers}`;
    entered = Promise.withResolvers();
    hold = Promise.withResolvers();
    const { hostname, port } = new URL(app.url);
    const socket = net.connect(Number(port), hostname);
    socket.write(`GET /api${path} HTTP/1.1\r\nHost: a\r\nX-Request-ID: ${id}\r\n\r\n`);
    await entered.promise;
    if (path === '/gone/stream') await once(socket, 'data');
    socket.destroy();
    const entry = await eventually(() => app.access.find(({ requestId }) => requestId === id));
    expect(entry.status).to.equal(499);
    hold.resolve();
    return id;
  }

  for (const [index, [name, , isTold]] of THROWN.entries()) {
    it(`is ${isTold ? '' : 'not '}told in the log: ${name}`, async () => {
      const path = `/gone/${index}`;
      const id = await leave(path);
      // The line of a request that came later stands behind it.
      const last = isTold ? id : await leave('/gone/0');
      await eventually(() => console.lines.some((line) => line['request_id'] === last));
      const lines = console.lines.filter((line) => line['request_id'] === id);
      expect(lines.map(({ level, message }) => `${level} ${message}`)).to.deep.equal(
        isTold ? [`ERROR GET /api${path} failed when its client had gone`] : [],
      );
      expect(requestsOf(`/api${path}`), 'it stays a request whose client has gone').to.have.all.keys('GET 499');
      expect(errorsOf(`/api${path}`)).to.deep.equal({});
    });
  }

  it('is told in the log: the end of a stream', async () => {
    const id = await leave('/gone/stream');
    const line = await eventually(() => console.lines.find((each) => each['request_id'] === id));
    expect(line.message).to.equal('GET /api/gone/stream failed when its client had gone');
    expect(line.exception.message).to.equal('the clean-up failed');
  });
});
