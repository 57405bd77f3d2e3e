import { SpanKind } from '@opentelemetry/api';
import { expect } from 'chai';
import { PasswordSecurity } from '../../../src/core/security/passwords.ts';
import type { ClientSpan } from '../../../src/core/telemetry/spans/client-span.ts';
import { setTracing } from '../../../src/core/telemetry/spans/tracing.ts';
import { collectClientSpans, inRequest } from '../../support/client-spans.ts';
import { settingsFrom } from '../http/harness.ts';

const PASSWORD = 'correct horse battery';
const FAST = { argon2MemoryKib: 7168, argon2TimeCost: 1, argon2Concurrency: 1 };

describe('the span of a password hash', () => {
  let spans: ClientSpan[];
  const passwords = new PasswordSecurity({ ...settingsFrom(), ...FAST });

  before(() => {
    spans = collectClientSpans();
  });
  afterEach(() => spans.splice(0));
  after(() => setTracing());

  it('is there for hashing and for checking, under the request, with how long it waited', async () => {
    await inRequest(async () => {
      const hash = await passwords.generatePasswordHash(PASSWORD);
      await Promise.all([passwords.verifyPassword(PASSWORD, hash), passwords.verifyPassword('another', hash)]);
    });
    expect(spans.map(({ shape }) => [shape.name, shape.kind])).to.deep.equal([
      ['hash password', SpanKind.INTERNAL],
      ['verify password', SpanKind.INTERNAL],
      ['verify password', SpanKind.INTERNAL],
    ]);
    const [, first, second] = spans;
    const waited = second?.attributes?.['okapi.hash_queue_ms'] as number;
    expect(waited, 'one at a time').to.be.above(first?.attributes?.['okapi.hash_queue_ms'] as number);
    expect(new Set(spans.map(({ parent }) => parent.spanId)).size).to.equal(1);
    expect(spans.map(({ failure }) => failure)).to.deep.equal([undefined, undefined, undefined]);
  });

  it('holds neither password nor hash, also when the library fails and says them', async () => {
    const work = {
      hash: async () => Promise.reject(new RangeError(`${PASSWORD} is no good`)),
      verify: async () => false,
    };
    const failing = new PasswordSecurity({ ...settingsFrom(), ...FAST }, work as never);
    await inRequest(() => failing.generatePasswordHash(PASSWORD)).catch(() => undefined);
    expect(spans[0]?.failure).to.deep.equal({ type: 'RangeError', message: 'The hash was not computed' });
    expect(JSON.stringify(spans)).to.not.contain(PASSWORD);
  });

  it('is not made outside of a request', async () => {
    await passwords.generatePasswordHash(PASSWORD);
    expect(spans).to.deep.equal([]);
  });
});
