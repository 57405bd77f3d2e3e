import { expect } from 'chai';
import fc from 'fast-check';
import { createAccessLog, getLogger, stopLogger } from '../../../src/core/logging/index.ts';
import { type FakeConsole, parseLines, start } from './harness.ts';

const log = getLogger('app.test.property');
const SECRET = fc.stringMatching(/^[A-Za-z0-9]{12,24}$/).map((text) => `zQ${text}Qz`);
const KEY = fc.constantFrom(
  'password',
  'PassWd',
  'client_secret',
  'X-Api-Key',
  'refreshToken',
  'set-cookie',
  'private_key',
);
const PART = fc.stringMatching(/^[A-Za-z0-9_-]{10,40}$/);

/** Wraps a secret in a shape by which it must be known. */
const SHAPED = fc.tuple(SECRET, fc.integer({ min: 0, max: 3 }), PART).map(([secret, shape, part]) => {
  const text = [
    `eyJhbGciOiJIUzI1NiJ9.${part}${secret}.${part}${secret}`,
    `Bearer ${part}${secret}`,
    `https://user:${secret}@host/path`,
    `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END RSA PRIVATE KEY-----`,
  ][shape];
  return { secret, text: text ?? secret };
});

/** Controls, line separators and bidirectional controls. */
function isUnsafe(character: string): boolean {
  const code = character.charCodeAt(0);
  const within = (low: number, high: number): boolean => code >= low && code <= high;
  return within(0, 0x1f) || within(0x7f, 0x9f) || within(0x2028, 0x202e) || within(0x2066, 0x2069);
}

describe('whatever is logged', () => {
  let console: FakeConsole;

  beforeEach(() => {
    ({ console } = start({ files: false }, { consoleQueueBytes: 1e9 }));
  });
  afterEach(() => stopLogger());

  async function lineOf(write: () => void): Promise<string> {
    console.text = '';
    write();
    await stopLogger();
    const { text } = console;
    ({ console } = start({ files: false }, { consoleQueueBytes: 1e9 }));
    return text;
  }

  it('becomes exactly one valid JSON line of at most 64 KiB', async () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
    });
    const property = fc.asyncProperty(
      fc.string({ unit: 'binary' }),
      anything,
      anything,
      async (message, extra, thrown) => {
        const text = await lineOf(() => log.exception(message, thrown, { extra }));
        expect(parseLines(text)).to.have.length(1);
        expect(Buffer.byteLength(text)).to.be.at.most(65_536);
        expect([...text.slice(0, -1)].filter(isUnsafe)).to.deep.equal([]);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it('is cut to 64 KiB however large and however much of it needs escaping', async () => {
    for (const unit of ['x', '\u0000', '€', '"', '\ud800', '\u202e']) {
      const huge = unit.repeat(100_000);
      const extra = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`${n}${unit.repeat(50)}`, huge]));
      const cause = new AggregateError(
        Array.from({ length: 20 }, () => new Error(huge)),
        huge,
      );
      const text = await lineOf(() => log.exception(huge, new Error(huge, { cause }), extra));
      expect(parseLines(text)).to.have.length(1);
      expect(Buffer.byteLength(text)).to.be.at.most(65_536);
    }
  });

  it('shows no secret that is known by its key', async () => {
    const nesting = fc.array(fc.constantFrom('list', 'object', 'map'), { maxLength: 6 });
    const property = fc.asyncProperty(SECRET, KEY, nesting, async (secret, key, around) => {
      let value: unknown = { [key]: secret };
      for (const kind of around)
        value = kind === 'list' ? [value] : kind === 'map' ? new Map([['k', value]]) : { k: value };
      expect(await lineOf(() => log.info('m', { value }))).to.not.include(secret);
    });
    await fc.assert(property, { numRuns: 100 });
  });

  it('shows no secret that is known by its shape', async () => {
    const context = fc.string({ maxLength: 20 });
    const property = fc.asyncProperty(SHAPED, context, context, async ({ secret, text }, before, after) => {
      const whole = `${before} ${text} ${after}`;
      const error = new Error(whole, { cause: new Error(whole) });
      const shown = await lineOf(() => {
        log.exception(whole, error, { [whole]: whole, deep: [{ whole }] });
        createAccessLog()({ ...ENTRY, userAgent: whole, route: whole, requestId: whole });
      });
      expect(shown).to.not.include(secret);
      expect(parseLines(shown)).to.have.length(2);
    });
    await fc.assert(property, { numRuns: 100 });
  });
});

const ENTRY = {
  requestId: 'r',
  userId: undefined,
  traceId: undefined,
  spanId: undefined,
  traceFlags: 0,
  method: 'GET',
  route: '/',
  status: 200,
  durationMs: 1,
  bytes: 0,
  userAgent: undefined,
  ip: undefined,
  postgresStatements: 0,
  postgresMs: 0,
  mongoCommands: 0,
  mongoMs: 0,
  poolWaitMs: 0,
  hashQueueMs: 0,
};
