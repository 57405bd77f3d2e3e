import { expect } from 'chai';
import fc from 'fast-check';
import { setTracing } from '../../../src/core/telemetry/spans/tracing.ts';
import { request } from '../../support/client.ts';
import { ANYTHING, collectSpans, get, serve, type TestApp } from './harness.ts';

const RUNS = { numRuns: 200 };
const OWN = /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/;
/** W3C Trace Context §3.2.2; a later version may go on after the flags. */
const WELL_FORMED = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;
const isTraceparent = (text: string) => WELL_FORMED.test(text) && !(text.startsWith('00') && text.length > 55);

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const parts = fc.record({ traceId: hex(32), spanId: hex(16), flags: hex(2) });
const inHeader = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));

describe("a caller's traceparent, whatever it says,", () => {
  let app: TestApp;
  before(async () => {
    collectSpans();
    app = await serve({
      env: { TRACE_CONTEXT: 'always' },
      routes: [get('/traced', (ctx) => ctx.respond.success(ANYTHING))],
    });
  });
  after(async () => {
    setTracing();
    await app.close();
  });

  /** The `traceresponse` of a request: always one, well formed, and the same trace as in the body. */
  const ask = async (traceparent: string) => {
    const answer = await request(`${app.url}/api/traced`, { headers: { traceparent } });
    expect(answer.status).to.equal(200);
    const response = answer.headers.get('traceresponse') ?? '';
    expect(response).to.match(OWN);
    const [, traceId, spanId, flags] = response.split('-');
    expect(answer.body.meta.trace_id).to.equal(traceId);
    return { traceId, spanId, flags };
  };

  it('is continued as it was written, its wish to be sampled too', async () => {
    await fc.assert(
      fc.asyncProperty(parts, async ({ traceId, spanId, flags }) => {
        fc.pre(!/^0+$/.test(traceId) && !/^0+$/.test(spanId));
        const answered = await ask(`00-${traceId}-${spanId}-${flags}`);
        expect(answered.traceId).to.equal(traceId);
        expect(answered.spanId).to.not.equal(spanId);
        expect(answered.flags).to.equal(Number.parseInt(flags, 16) & 1 ? '01' : '00');
      }),
      RUNS,
    );
  });

  it('begins a new trace when it is none', async () => {
    const piece = fc.constantFrom(
      '00',
      'ff',
      '01',
      '-',
      'a'.repeat(32),
      'b'.repeat(16),
      '0'.repeat(32),
      'G',
      ' ',
      'A',
      ',',
    );
    const almost = fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(''));
    const spoilt = fc
      .tuple(parts, fc.nat({ max: 54 }), fc.constantFrom('', '-', 'g', 'A', ' ', '00'))
      .map(([{ traceId, spanId, flags }, at, put]) => {
        const text = `00-${traceId}-${spanId}-${flags}`;
        return text.slice(0, at) + put + text.slice(at + 1);
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: inHeader, maxLength: 120 }), almost, spoilt), async (header) => {
        fc.pre(!isTraceparent(header.trim()));
        const { traceId } = await ask(header);
        expect(traceId).to.not.match(/^0+$/);
        expect(header, 'nothing of it is taken over').to.not.contain(`-${traceId}-`);
      }),
      RUNS,
    );
  });
});
