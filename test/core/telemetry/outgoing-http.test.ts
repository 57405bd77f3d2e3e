import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SpanKind } from '@opentelemetry/api';
import { expect } from 'chai';
import { shownTarget } from '../../../src/core/telemetry/outgoing-http.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { ROOT } from '../../support/service.ts';

/** OTLP counts kinds from 1. */
const CLIENT = SpanKind.CLIENT + 1;

describe('calls to other servers', () => {
  let receiver: OtlpReceiver;
  before(async () => {
    receiver = await startOtlpReceiver();
  });
  after(() => receiver.close());

  it('are spans under the request that makes them, by fetch and by node:http; those of nobody and of the export are none', async () => {
    const command = ['--import', './instrumentation.ts', join(import.meta.dirname, 'traced-child.ts')];
    const env = { PATH: process.env['PATH'], OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: ROOT, env });
    const { asked } = JSON.parse(stdout) as { asked: (string | null)[] };
    const [server] = receiver.spans.filter(({ kind }) => kind !== CLIENT);
    const calls = receiver.spans.filter(({ kind }) => kind === CLIENT);
    expect(receiver.spans).to.have.length(3);
    expect(calls.map(({ name, parentSpanId }) => [name, parentSpanId])).to.deep.equal(
      Array(2).fill(['GET', server?.spanId]),
    );
    expect(asked).to.have.members([...calls.map(traceparentOf), null, null]);
    const urls = calls.map(({ attributes }) => new URL(String(attributes['url.full'])));
    expect(urls.map(({ pathname, search }) => pathname + search)).to.have.members([
      '/fetch/Bearer%20[redacted]?key=[redacted]&flag',
      '/http?key=[redacted]',
    ]);
    expect(JSON.stringify(receiver.spans)).to.not.contain('hidden').and.not.contain('abcdef');
  });

  it('show the names of a query and none of its values', () => {
    for (const [target, shown] of [
      ['/a', '/a'],
      ['/a?', '/a?'],
      ['/a?b', '/a?b'],
      ['/a?b=&c=1&d=e=f', '/a?b=&c=[redacted]&d=[redacted]'],
      ['/a?b=c?d=e', '/a?b=[redacted]'],
      ['*', '*'],
    ] as const) {
      expect(shownTarget(target)).to.equal(shown);
    }
    expect(shownTarget(`/${'x'.repeat(100_000)}`)).to.have.length.below(2_100);
  });
});

function traceparentOf({ traceId, spanId }: ReceivedSpan): string {
  return `00-${traceId}-${spanId}-01`;
}
