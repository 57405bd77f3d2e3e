import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { CompactResponse } from '../../../src/core/http/compact-response.ts';

/** A method of the response and what it is called with. */
type Step = readonly [method: string, ...values: unknown[]];

const goodName = fc.constantFrom(
  ...['X-One', 'x-one', 'X-Two', 'Vary', 'vary', 'Date', 'Set-Cookie', 'set-cookie', 'Connection', 'Content-Length'],
  ...['Transfer-Encoding', 'Content-Type', 'Content-Disposition', 'constructor', 'Keep-Alive', 'expect'],
);
const goodText = fc.constantFrom('a', 'b, c', '', '4', 'close', 'keep-alive', 'chunked', 'Zo\u00eb');
const name = fc.oneof({ arbitrary: goodName, weight: 9 }, fc.constantFrom('bad name', '', '__proto__'));
const text = fc.oneof({ arbitrary: goodText, weight: 9 }, fc.constantFrom('a\r\nb', '\u2603'));
const valueFrom = (text: fc.Arbitrary<string>) =>
  fc.oneof(text, fc.integer({ min: 0, max: 9 }), fc.array(text, { maxLength: 3 }));
const value = valueFrom(text);
const setting: fc.Arbitrary<Step> = fc.tuple(fc.constant('setHeader'), name, value);
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: setting, weight: 4 },
  fc.tuple(fc.constant('appendHeader'), name, value),
  fc.tuple(fc.constantFrom('removeHeader', 'getHeader', 'hasHeader'), name),
  fc.tuple(name, text).map(([name, text]): Step => ['setHeaders', new Map([[name, text]])]),
);
const pairs = fc.array(fc.tuple(goodName, valueFrom(goodText)), { maxLength: 4 });
const given = fc.oneof(
  pairs.map(Object.fromEntries),
  pairs.map((pairs) => pairs.flat()),
);
const head: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom<Step>(['flushHeaders'], ['writeHead', 201], ['writeHead', 204, 'Nothing'], ['writeHead', 99]),
  given.map((given): Step => ['writeHead', 200, given]),
  given.map((given): Step => ['writeHead', 200, 'Fine', given]),
);

const body: fc.Arbitrary<Step[]> = fc.constantFrom<Step[]>(
  [['end', 'body']],
  [['end']],
  [
    ['write', 'first '],
    ['end', 'last'],
  ],
);
const request = fc.record({
  method: fc.constantFrom('GET', 'HEAD'),
  minor: fc.constantFrom(0, 1),
});

describe('the response that keeps its headers in a list', () => {
  it("answers, sends and refuses what Node's own does", async () => {
    const heads = fc.oneof(fc.constant([]), fc.tuple(head, setting));
    const all = fc
      .tuple(fc.array(step, { maxLength: 12 }), heads, body)
      .map((parts): Step[] => [['setHeader', 'X-Always', 'there'], ...parts.flat()]);
    const property = fc.asyncProperty(request, all, async (request, steps) => {
      expect(await outcome(CompactResponse, request, steps)).to.deep.equal(
        await outcome(ServerResponse, request, steps),
      );
    });
    await fc.assert(property, { numRuns: 2_000 });
  });

  it('sends what is given with the head alone, and text that Node changes without looking at it again', async () => {
    const get = { method: 'GET', minor: 1 };
    for (const steps of [
      [
        ['writeHead', 200, { 'X-One': '1' }],
        ['end', 'body'],
      ],
      [
        ['setHeader', 'Content-Disposition', 'attachment; filename="Zo\u00eb.json"'],
        ['setHeader', 'Content-Length', 4],
        ['end', 'body'],
      ],
      [
        ['setHeader', 'X-One', ['a', undefined]],
        ['end', 'body'],
      ],
      [
        ['setHeader', 'Trailer', 'X-Two'],
        ['setHeader', 'X-One', '1'],
        ['write', 'first '],
        ['addTrailers', { 'X-Two': '2' }],
        ['end', 'last'],
      ],
      [
        ['setHeader', 'X-One', '1'],
        ['writeHead', 200, null],
        ['end', 'body'],
      ],
      [
        ['setHeader', 'X-One', '1'],
        ['writeHead', 200, ['X-Two']],
        ['end', 'body'],
      ],
    ] as Step[][]) {
      expect(await outcome(CompactResponse, get, steps)).to.deep.equal(await outcome(ServerResponse, get, steps));
    }
  });

  it('says that its head is sent, once that is let go of', () => {
    const res = new CompactResponse(new IncomingMessage(new Socket()));
    res.setHeader('X-One', '1');
    res.releaseHead();
    expect(res.headersSent, 'not sent yet').to.equal(false);
    res.writeHead(200);
    res.releaseHead();
    expect(res.headersSent).to.equal(true);
    expect(res.getHeader('x-one'), 'still known').to.equal('1');
    expect(() => res.setHeader('X-One', '2'))
      .to.throw()
      .with.property('code', 'ERR_HTTP_HEADERS_SENT');
  });
});

/** What each step gave or threw, what the response knows of its headers after it, and what was sent in the end. */
async function outcome(
  Response: typeof ServerResponse | typeof CompactResponse,
  { method, minor }: { method: string; minor: number },
  steps: readonly Step[],
) {
  const req = Object.assign(new IncomingMessage(new Socket()), {
    method,
    httpVersion: `1.${minor}`,
    httpVersionMajor: 1,
    httpVersionMinor: minor,
  });
  const res: ServerResponse = new Response(req);
  const socket = new PassThrough();
  res.assignSocket(socket as unknown as Socket);
  // Node changes lists that it is given.
  const seen = structuredClone(steps).map((step) => [
    resultOf(() => call(res, step)),
    structuredClone({ ...res.getHeaders() }),
    res.getHeaderNames(),
    (res as unknown as { getRawHeaderNames(): string[] }).getRawHeaderNames(),
  ]);
  socket.end();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'end');
  const sent = Buffer.concat(chunks)
    .toString('latin1')
    .replace(/^Date: .*GMT\r\n/m, 'Date: now\r\n');
  return { seen, sent: sendingLast(sent) };
}

/** The answers with those headers last that decide how a body is sent, each in the order in which they were. */
function sendingLast(sent: string): string[] {
  const [head = '', ...rest] = sent.split('\r\n\r\n');
  const lines = head.split('\r\n');
  const decides = (line: string) =>
    /^(date|expect|trailer|connection|keep-alive|content-length|transfer-encoding):/i.test(line);
  return [...lines.filter((line) => !decides(line)), ...lines.filter(decides), ...rest];
}

function call(res: ServerResponse, [method, ...values]: Step): unknown {
  const given = (res as unknown as Record<string, (...values: unknown[]) => unknown>)[method]?.(...values);
  return given === res ? 'itself' : structuredClone(given);
}

function resultOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return (error as { code?: string }).code;
  }
}
