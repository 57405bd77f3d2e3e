import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import protobuf from 'protobufjs';
import { IdSet } from '../../bench/counting/id-set.ts';
import { LogFollower } from '../../bench/counting/log-follower.ts';
import { countLogRecords, readSpans, type SpanIdentity } from '../../bench/counting/otlp-records.ts';
import { startReceiver } from '../../bench/counting/receiver.ts';
import { type Counts, isComplete, shortfalls } from '../../bench/counting/shortfalls.ts';
import { temporaryFolder } from '../support/service.ts';

const ACCESS = '{"level":"INFO","message":"GET /","logger":"app.http.access"}\n';
const OTHER = '{"level":"INFO","message":"\\"logger\\":\\"app.http.access\\"","logger":"app.process"}\n';

describe('counting spans', () => {
  let root: protobuf.Root;
  before(async () => {
    root = await protobuf.load(join(import.meta.dirname, '..', 'support', 'otlp.proto'));
  });

  const encoded = (type: string, message: object) => {
    const messageType = root.lookupType(type);
    return Buffer.from(messageType.encode(messageType.fromObject(message)).finish());
  };
  const span = (id: number, kind: number) => ({
    traceId: Buffer.alloc(16, 7),
    spanId: Buffer.from([0, 0, 0, 1, 0, 0, 0, id]),
    name: 'GET /',
    kind,
    startTimeUnixNano: '1',
    attributes: [{ key: 'http.route', value: { stringValue: '/' } }],
    status: { code: 1 },
  });
  const traces = (...spans: object[]) =>
    encoded('TraceRequest', {
      resourceSpans: [
        { resource: { attributes: [] }, scopeSpans: [{ scope: { name: 'a' }, spans: spans.slice(0, 1) }] },
        { scopeSpans: [{ spans: spans.slice(1) }, {}] },
      ],
    });

  it('reads the identity of every span in every resource and scope', () => {
    const spans: SpanIdentity[] = [];
    readSpans(traces(span(1, 2), span(2, 3), span(3, 2)), (each) => spans.push(each));
    expect(spans).to.deep.equal([
      { idHigh: 1, idLow: 1, kind: 2 },
      { idHigh: 1, idLow: 2, kind: 3 },
      { idHigh: 1, idLow: 3, kind: 2 },
    ]);
  });

  it('counts log records', () => {
    const records = [{ severityNumber: 9 }, { severityNumber: 9 }];
    expect(
      countLogRecords(encoded('LogsRequest', { resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] })),
    ).to.equal(2);
  });

  it('refuses what is cut off', () => {
    const whole = traces(span(1, 2), span(2, 2));
    expect(() => readSpans(whole.subarray(0, whole.length - 3), () => undefined)).to.throw(RangeError);
  });

  it('counts a span once however often it is sent, for each server apart', async () => {
    const receiver = await startReceiver();
    try {
      const post = (name: string, body: Buffer) =>
        fetch(`${receiver.urlFor(name)}/v1/traces`, { method: 'POST', body: new Uint8Array(body) });
      await post('a', traces(span(1, 2), span(2, 2)));
      await post('a', traces(span(2, 2), span(3, 3)));
      await post('b', traces(span(1, 2)));
      expect((await post('b', Buffer.from([0xff]))).ok).to.equal(true);
      expect(receiver.received('a')).to.include({ serverSpans: 2, spans: 4, repeated: 1, malformed: 0 });
      expect(receiver.received('b')).to.include({ serverSpans: 1, malformed: 1 });
    } finally {
      await receiver.close();
    }
  });

  it('keeps every id apart while it grows', () => {
    const ids = new IdSet();
    let added = 0;
    for (let id = 1; id <= 200_000; id++) if (ids.add(id, id % 7)) added++;
    expect(added).to.equal(200_000);
    expect(ids.add(77, 0)).to.equal(false);
    expect(ids.add(0, 0)).to.equal(false);
    expect(ids.size).to.equal(200_000);
  });
});

describe('counting access lines', () => {
  it('follows files that are renamed, relinked and removed', () => {
    const folder = join(temporaryFolder(), 'logs');
    const follower = new LogFollower(folder);
    try {
      expect(follower.read()).to.equal(0);
      mkdirSync(folder);
      const part = (number: number) => join(folder, `app-part.${number}.json`);
      appendFileSync(part(1), ACCESS + OTHER + ACCESS);
      symlinkSync(part(1), join(folder, 'app.json'));
      expect(follower.read()).to.equal(2);
      appendFileSync(part(1), ACCESS.slice(0, 20));
      expect(follower.read()).to.equal(2);
      appendFileSync(part(1), ACCESS.slice(20));
      renameSync(part(1), part(2));
      appendFileSync(part(3), ACCESS);
      expect(follower.read()).to.equal(4);
      appendFileSync(part(2), ACCESS);
      rmSync(part(2));
      expect(follower.read()).to.equal(5);
      appendFileSync(join(folder, 'error.json'), ACCESS);
      expect(follower.read()).to.equal(5);
    } finally {
      follower.close();
    }
  });
});

describe('what a run of the benchmark may not lack', () => {
  const counts: Counts = {
    sent: 100,
    mayBeAbandoned: 64,
    requests: 110,
    abandoned: 10,
    notOk: 0,
    spans: 110,
    lines: 110,
  };

  it('is nothing when as much came out as went in', () => {
    expect(isComplete(counts)).to.equal(true);
    expect(shortfalls(counts)).to.deep.equal([]);
    expect(shortfalls({ ...counts, spans: undefined, lines: undefined })).to.deep.equal([]);
  });

  it('is a span, a line or a count', () => {
    expect(shortfalls({ ...counts, spans: 109 })).to.deep.equal(['1 spans are missing: 109 of 110 counted requests']);
    expect(shortfalls({ ...counts, lines: 0 })).to.have.length(1);
    expect(shortfalls({ ...counts, sent: 111 })).to.have.length(1);
    expect(isComplete({ ...counts, spans: 109 })).to.equal(false);
  });

  it('is an answer that was not 2xx', () => {
    expect(shortfalls({ ...counts, notOk: 2 })).to.deep.equal(['2 requests were answered otherwise than with 2xx']);
    expect(shortfalls({ ...counts, abandoned: 65 })).to.have.length(1);
  });
});
