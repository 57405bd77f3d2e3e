import { join } from 'node:path';
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { Carrier } from '../../../../src/core/context.ts';
import { ProtobufWriter } from '../../../../src/core/telemetry/otlp/protobuf-writer.ts';
import { POSTGRES_SCOPE } from '../../../../src/core/telemetry/scopes.ts';
import { ClientSpan, ClientSpanShape } from '../../../../src/core/telemetry/spans/client-span.ts';
import {
  writeClientSpan,
  writeReadableSpan,
  writeServerSpan,
} from '../../../../src/core/telemetry/spans/encode-span.ts';
import { newRootIds, newSpanId } from '../../../../src/core/telemetry/spans/ids.ts';
import { toReadableClientSpan, toReadableSpan } from '../../../../src/core/telemetry/spans/readable-span.ts';
import { type RequestFacts, ServerSpan } from '../../../../src/core/telemetry/spans/server-span.ts';

describe('spans as bytes', () => {
  let ScopeSpans: protobuf.Type;
  let TraceRequest: protobuf.Type;
  const resource = resourceFromAttributes({ 'service.name': 'test' });

  before(async () => {
    const root = await protobuf.load(join(import.meta.dirname, '..', '..', '..', 'support', 'otlp.proto'));
    ScopeSpans = root.lookupType('ScopeSpans');
    TraceRequest = root.lookupType('TraceRequest');
  });

  /** The span as our encoder writes it, decoded by an independent decoder; attributes by name. */
  function ours(write: (writer: ProtobufWriter) => void) {
    const writer = new ProtobufWriter(64);
    write(writer);
    return normalized(ScopeSpans.decode(writer.take()).toJSON()['spans'][0]);
  }

  /** The span as the SDK's own serializer writes it. */
  function theirs(span: ReadableSpan) {
    const bytes = ProtobufTraceSerializer.serializeRequest([span]) ?? new Uint8Array();
    return normalized(TraceRequest.decode(bytes).toJSON()['resourceSpans'][0].scopeSpans[0].spans[0]);
  }

  function serverSpan(facts: Partial<RequestFacts> = {}): ServerSpan {
    const context = { ...newRootIds(), traceFlags: TraceFlags.SAMPLED };
    const parent = { traceId: context.traceId, spanId: newSpanId(), traceFlags: 1, isRemote: true };
    const span = new ServerSpan('GET', context, parent, [{ context: { ...parent, isRemote: false } }], true);
    const carrier = new Carrier();
    carrier.requestId = 'an-id';
    span.facts = {
      method: 'GET',
      originalMethod: undefined,
      path: '/things/1',
      route: '/things/:id',
      status: 200,
      httpVersion: '1.1',
      clientAddress: '127.0.0.1',
      userAgent: 'test/1.0',
      carrier,
      withUserId: true,
      ...facts,
    };
    return span;
  }

  it('says of a request what the SDK would say', () => {
    const span = serverSpan({ status: 503 });
    span.setAttribute('a.list', ['x', 'y']).setAttribute('a.number', -5).setAttribute('a.fraction', 0.25);
    span.recordException(new Error('broken'));
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'why' });
    span.end();
    expect(ours((writer) => writeServerSpan(writer, span))).to.deep.equal(theirs(toReadableSpan(span, resource)));
  });

  it('says what the request spent and who asked', () => {
    const carrier = Object.assign(new Carrier(), { userId: 'u' });
    Object.assign(carrier.spending, { postgresStatements: 2, postgresMs: 1.5, mongoCommands: 1 });
    const span = serverSpan({ carrier, method: '_OTHER', originalMethod: 'BREW', route: undefined });
    span.end();
    const encoded = ours((writer) => writeServerSpan(writer, span));
    expect(encoded).to.deep.equal(theirs(toReadableSpan(span, resource)));
    expect(encoded.name).to.equal('HTTP');
    expect(encoded.attributes).to.include.keys(
      'enduser.id',
      'okapi.postgres.statements',
      'http.request.method_original',
    );
  });

  it('says of a call what the SDK would say, also when it failed', () => {
    const failures = [undefined, { type: '23505', message: 'refused' }];
    const calls = failures.flatMap((failure) => [
      { failure, kind: SpanKind.CLIENT, attributes: undefined },
      { failure, kind: SpanKind.INTERNAL, attributes: { 'okapi.hash_queue_ms': 0.5 } },
    ]);
    for (const { failure, kind, attributes } of calls) {
      const parent = { ...newRootIds(), traceFlags: TraceFlags.SAMPLED };
      const common = { 'db.system.name': 'postgresql', 'server.port': 5432 };
      const shape = new ClientSpanShape(POSTGRES_SCOPE, 'SELECT users', common, kind);
      const span = new ClientSpan(shape, parent);
      span.endMs = span.startMs + 1.5;
      span.failure = failure;
      span.attributes = attributes;
      const encoded = ours((writer) => writeClientSpan(writer, span));
      expect(encoded).to.deep.equal(theirs(toReadableClientSpan(span, resource)));
    }
  });

  it('encodes any text and number as the SDK does', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
        fc.integer({ min: 0, max: 2_000_000_000_000 }),
        (text, value, at) => {
          const span: ReadableSpan = {
            ...toReadableSpan(serverSpan(), resource),
            kind: SpanKind.CLIENT,
            name: text,
            attributes: { [text || 'k']: value, text },
            startTime: [Math.floor(at / 1000), (at % 1000) * 1e6 + 999],
          };
          expect(ours((writer) => writeReadableSpan(writer, span))).to.deep.equal(theirs(span));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never makes an id of zeros, nor the same one twice', () => {
    const ids = new Set(Array.from({ length: 20_000 }, () => newSpanId()));
    expect(ids.size).to.equal(20_000);
    for (const id of ids) expect(id).to.match(/^(?!0+$)[0-9a-f]{16}$/);
  });
});

type Pair = { key: string; value: unknown };

/** Attributes by name, so that their order does not count, in the span and in its events. */
function normalized({ attributes = [], events = [], status, ...span }: Record<string, Pair[] | undefined>) {
  const byName = (pairs: Pair[] = []) => Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
  return {
    ...span,
    // An empty status and none mean the same: unset (proto3 has no other way to leave it out).
    ...(status === undefined || Object.keys(status).length === 0 ? {} : { status }),
    attributes: byName(attributes),
    events: (events as unknown as { attributes: Pair[] }[]).map((event) => ({
      ...event,
      attributes: byName(event.attributes),
    })),
  } as { name?: unknown; attributes: Record<string, unknown> };
}
