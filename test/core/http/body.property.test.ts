import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { BaseDTO } from '../../../src/core/http/dto.ts';
import { route } from '../../../src/core/http/route.ts';
import { Type } from '../../../src/core/http/type.ts';
import { request } from '../../support/client.ts';
import { expectProblem } from '../../support/problem.ts';
import { ANYTHING, serve, type TestApp } from './harness.ts';

const RUNS = { numRuns: 150 };
const LIMIT = 2048;
const FORBIDDEN = /"(__proto__|constructor|prototype)"/;

/** What a body must be read as; `undefined` when it is no JSON object or array in UTF-8 (RFC 8259 §8.1). */
function meaningOf(bytes: Uint8Array): { value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return typeof value === 'object' && value !== null ? { value } : undefined;
  } catch {
    return undefined;
  }
}

describe('a JSON body, whatever it holds,', () => {
  let app: TestApp;
  before(async () => {
    const echo = route({
      method: 'post',
      path: '/echo',
      summary: 'Echo',
      body: BaseDTO({ v: Type.Unknown() }),
      responses: { 200: { description: 'What came in', schema: ANYTHING } },
      handler: (ctx) => ctx.respond.success(ctx.state.input.body),
    });
    app = await serve({ env: { BODY_LIMIT: String(LIMIT) }, routes: [echo] });
  });
  after(() => app.close());

  const send = (body: Uint8Array | string, headers: Record<string, string> = {}) =>
    request(`${app.url}/api/echo`, {
      method: 'POST',
      body: body as string,
      headers: { 'Content-Type': 'application/json', ...headers },
    });

  it('reaches the handler as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }), fc.boolean(), async (value, isPacked) => {
        const text = JSON.stringify({ v: value });
        fc.pre(Buffer.byteLength(text) <= LIMIT && !FORBIDDEN.test(text));
        const answer = isPacked ? await send(gzipSync(text), { 'Content-Encoding': 'gzip' }) : await send(text);
        expect(answer.status, answer.text).to.equal(200);
        expect(answer.body.data).to.deep.equal(JSON.parse(text));
      }),
      RUNS,
    );
  });

  it('is refused with 400 when it is no JSON object or array, with 422 when it is another one than declared', async () => {
    const json = fc.json({ maxDepth: 2 }).map((text) => new TextEncoder().encode(text));
    const declared = fc.json({ maxDepth: 2 }).map((text) => new TextEncoder().encode(`{"v":${text}}`));
    /** One byte of it is another one, is missing, or is there twice. */
    const damaged = fc
      .tuple(declared, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat({ max: 2 }), fc.nat({ max: 2 }))
      .map(([bytes, at, byte, removed, added]) => {
        const place = at % bytes.length;
        return Uint8Array.from([...bytes.slice(0, place), ...Array(added).fill(byte), ...bytes.slice(place + removed)]);
      });
    const anything = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 100 }), json, damaged, damaged);
    await fc.assert(
      fc.asyncProperty(anything, async (bytes) => {
        fc.pre(bytes.length > 0);
        const answer = await send(bytes);
        const meaning = meaningOf(bytes);
        if (answer.status === 200) {
          expect(meaning, 'taken, so it must be JSON').to.not.equal(undefined);
          expect(answer.body.data).to.deep.equal(JSON.parse(JSON.stringify(meaning?.value)));
        } else {
          expectProblem(answer, meaning === undefined || answer.body.code === 'request.forbidden_field' ? 400 : 422);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is refused with 413 when it is over the limit, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: LIMIT + 1, max: 3 * LIMIT }),
        fc.constantFrom('[', ' ', '{"v":', '\0'),
        async (length, piece) => {
          expectProblem(await send(piece.repeat(length).slice(0, length)), 413, 'http.payload_too_large');
        },
      ),
      { numRuns: 20 },
    );
  });
});
