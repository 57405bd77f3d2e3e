import { inspect } from 'node:util';
import { expect } from 'chai';
import { redact, redactText } from '../../../src/core/logging/redaction.ts';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl';
const PEM = '-----BEGIN PRIVATE KEY-----\nMIIEvQ\nIBADAN\n-----END PRIVATE KEY-----';

describe('redaction by key', () => {
  for (const key of [
    ...['password', 'passwd', 'secret', 'token', 'authorization', 'cookie', 'set-cookie', 'api-key', 'signing_key'],
    ...['PrivateKey', 'refresh_token', 'currentPassword', 'X-API-Key', 'ACCESS_TOKEN_SIGNING_KEY', 'client.secret'],
  ]) {
    it(`hides ${key} at any depth, whatever its type`, () => {
      const hidden = redact({ a: [{ b: { [key]: 'hunter2' } }], [key]: { deep: 1 }, c: new Map([[key, 1234]]) });
      expect(hidden).to.deep.equal({
        a: [{ b: { [key]: '[redacted]' } }],
        [key]: '[redacted]',
        c: { [key]: '[redacted]' },
      });
    });
  }

  it('leaves other keys, and what is no secret under any', () => {
    const value = { user: 'u', keys: 2, has_password: true, token: null, monkey: 'x' };
    expect(redact(value)).to.deep.equal(value);
  });

  it('hides the value after its name in a flat list of headers', () => {
    const headers = ['Host', 'x', 'Authorization', 'Basic dXNlcjpwYXNz', 'Cookie', 'sid=1'];
    expect(redact(headers)).to.deep.equal(['Host', 'x', 'Authorization', '[redacted]', 'Cookie', '[redacted]']);
  });
});

describe('redaction by shape', () => {
  const cases: [string, string][] = [
    [`a ${JWT} b`, 'a [redacted] b'],
    [`prefix${JWT}`, 'prefix[redacted]'],
    [`{"t":"${JWT}"}`, '{"t":"[redacted]"}'],
    ['Authorization: Bearer abc-123', 'Authorization: Bearer [redacted]'],
    ['bearer  abc123, next', 'bearer  [redacted], next'],
    ['the bearer token is missing', 'the bearer token is missing'],
    [`key ${PEM} end`, 'key [redacted] end'],
    [`key ${PEM.slice(0, 40)}`, 'key [redacted]'],
    ['at postgres://app:s3cret@db:5432/x', 'at postgres://[redacted]@db:5432/x'],
    ['redis://:p@ss@host and https://me@host/a', 'redis://[redacted]@host and https://[redacted]@host/a'],
    ['https://host/users/a@b.c', 'https://host/users/a@b.c'],
    ['GET /reset?token=abc&x=1', 'GET /reset?token=[redacted]&x=1'],
    ['body {"password":"a\\"b","n":1}', 'body {"password":"[redacted]","n":1}'],
    ["{ clientSecret: 'abc', n: 1 }", "{ clientSecret: '[redacted]', n: 1 }"],
    ['{\\"password\\":\\"abc\\",\\"n\\":1}', '{\\"password\\":\\"[redacted]\\",\\"n\\":1}'],
    ['Unexpected token \'}\', "{}" is not valid JSON', 'Unexpected token \'}\', "{}" is not valid JSON'],
  ];
  for (const [given, expected] of cases) {
    it(`makes of ${inspect(given).slice(0, 60)} what may be shown`, () => expect(redactText(given)).to.equal(expected));
  }

  it('reaches messages, stacks and keys of what is copied', () => {
    const error = new Error(`refused ${JWT}`);
    const shown = JSON.stringify(redact({ [JWT]: 1, error, nested: { url: new URL('https://u:p@h/') } }));
    expect(shown).to.not.include(JWT).and.not.include('u:p@');
    expect(shown).to.include('refused [redacted]');
  });

  it('takes time in proportion to what is kept, also for text made to be slow', () => {
    const million = 1_000_000;
    for (const evil of [
      'eyJ',
      'eyJaaaaaaa.',
      'bearer ',
      '://',
      '-----BEGIN ',
      'token',
      'token=',
      'a',
      '"password":"',
      '\\',
      'password ',
    ]) {
      const text = evil.repeat(million / evil.length);
      const from = performance.now();
      redactText(text);
      redactText(text, million);
      expect(performance.now() - from, evil).to.be.below(10_000);
    }
  });

  it('hides a secret that the limit cuts in two', () => {
    const shown = redactText(`${'x '.repeat(40)}${JWT}`, 100);
    expect(shown).to.include('[redacted]');
    expect(shown).to.not.include('eyJ');
    expect(shown).to.match(/…\[\+\d+ characters\]$/);
  });
});

describe('a copy for the log', () => {
  it('is bounded for values without an end', () => {
    const circular: Record<string, unknown> = { a: 1 };
    circular['self'] = circular;
    let deep: unknown = 'bottom';
    for (let n = 0; n < 10_000; n++) deep = { deep };
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`k${n}`, n]));
    expect(redact(circular)).to.deep.equal({ a: 1, self: '[circular]' });
    expect(JSON.stringify(redact(deep)).length).to.be.below(200);
    expect(redact(wide)).to.include({ k199: 199, '…': '99800 more' });
    expect(
      JSON.stringify(redact([wide, wide, 'x'.repeat(1_000_000), Buffer.alloc(1e6), new Array(1e6)])).length,
    ).to.be.below(40_000);
  });

  it('survives whatever a value does when it is read', () => {
    const refuse = (): never => {
      throw new Error('no');
    };
    const traps = new Proxy({}, { get: refuse, ownKeys: refuse, getPrototypeOf: refuse, has: refuse });
    const value = {
      traps,
      json: { toJSON: refuse },
      loop: { toJSON: () => value },
      get broken() {
        return refuse();
      },
      fine: 1,
    };
    expect(redact(value)).to.deep.equal({
      traps: '[unreadable]',
      json: '[unreadable]',
      loop: '[circular]',
      broken: '[unreadable]',
      fine: 1,
    });
  });

  it('shows what JSON cannot', () => {
    const shown = redact({
      big: 12n,
      huge: 10n ** 5_000n,
      symbol: Symbol('s'),
      map: new Map<unknown, unknown>([[{ a: 1 }, 2]]),
      set: new Set([1, undefined]),
      bytes: Buffer.alloc(10),
      date: new Date(0),
      bad: new Date(Number.NaN),
      not: Number.NaN,
      run: () => 1,
      pattern: /x/g,
      later: Promise.resolve(),
      error: new RangeError('r'),
    }) as Record<string, unknown>;
    expect(shown).to.deep.include({
      big: '12',
      huge: '[bigint]',
      symbol: 'Symbol(s)',
      set: [1, null],
      bytes: '[bytes: 10]',
    });
    expect(shown).to.deep.include({ date: '1970-01-01T00:00:00.000Z', bad: null, not: 'NaN', run: '[function]' });
    expect(shown).to.deep.include({ pattern: '/x/g', later: '[promise]' });
    expect(shown['error']).to.include({ type: 'RangeError', message: 'r' });
  });

  it('keeps a key called __proto__ a key', () => {
    const copied = redact(JSON.parse('{"__proto__":{"admin":true}}')) as Record<string, unknown>;
    expect(JSON.stringify(copied)).to.equal('{"__proto__":{"admin":true}}');
    expect(copied['admin']).to.equal(undefined);
  });
});
