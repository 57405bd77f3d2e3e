import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, suppressTracing } from '@opentelemetry/core';
import { OTLPExporterError } from '@opentelemetry/otlp-exporter-base';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { AlwaysOffSampler, AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';
import { countedLogRecords, countedSpans, countMetricExports } from '../../../src/core/telemetry/counted-exports.ts';
import { Account, Ledger, ledger } from '../../../src/core/telemetry/ledger.ts';
import { countedSampler } from '../../../src/core/telemetry/sampler.ts';
import { ClientSpanShape, startClientSpan } from '../../../src/core/telemetry/spans/client-span.ts';
import { sampleFromNow, setTracing, startServerSpan } from '../../../src/core/telemetry/spans/tracing.ts';
import { expectBalance } from './balance.ts';

const TAKEN: ExportResult = { code: ExportResultCode.SUCCESS };
const ANSWERED: ExportResult = { code: ExportResultCode.FAILED, error: new OTLPExporterError('refused', 400) };
const SILENT: ExportResult = { code: ExportResultCode.FAILED, error: new Error('Request timed out') };

/** An exporter of the SDK whose receiver answers when it is told to. */
function exporterOfSdk() {
  const asked: { count: number; done: (result: ExportResult) => void }[] = [];
  return {
    asked,
    export: (items: { length?: number }, done: (result: ExportResult) => void) =>
      void asked.push({ count: items.length ?? 1, done }),
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
    answer: (result: ExportResult) => asked.shift()?.done(result),
  };
}

describe('the ledger', () => {
  afterEach(() => setTracing());

  /** How many spans were begun, and how many of them were sampled out, while `run` ran. */
  function begun(run: () => void): [number, number] {
    const before = ledger.spans.view();
    run();
    const after = ledger.spans.view();
    return [after.started - before.started, after.sampled_out - before.sampled_out];
  }

  it('counts each request and each of its statements once, sampled or not', () => {
    const shape = new ClientSpanShape({ name: 'test' }, 'SELECT users', {});
    const ends = { onEnd: () => undefined, onClientEnd: () => undefined, onJobEnd: () => undefined, enabled: true };
    const request = () => {
      const span = startServerSpan('GET', {}, 0);
      const active = trace.setSpan(ROOT_CONTEXT, span);
      startClientSpan(shape, active);
      startClientSpan(shape, suppressTracing(active));
      startClientSpan(shape, ROOT_CONTEXT);
    };
    setTracing({ ...ends, sampler: new AlwaysOnSampler() });
    expect(begun(request)).to.deep.equal([2, 0]);
    setTracing({ ...ends, sampler: new AlwaysOffSampler() });
    expect(begun(request)).to.deep.equal([2, 2]);
  });

  it('counts a request that is sampled after all as what it then is', () => {
    setTracing({
      onEnd: () => undefined,
      onClientEnd: () => undefined,
      onJobEnd: () => undefined,
      enabled: true,
      sampler: new AlwaysOffSampler(),
    });
    const request = () => {
      const span = startServerSpan('GET', {}, 0);
      sampleFromNow(span);
      sampleFromNow(span);
    };
    expect(begun(request)).to.deep.equal([1, 0]);
  });

  it('counts the spans of instrumentations by what their sampler decides', () => {
    for (const [sampler, sampledOut] of [
      [new AlwaysOnSampler(), 0],
      [new AlwaysOffSampler(), 1],
    ] as const) {
      const account = new Account();
      const tracer = new TracerProvider({ sampler: countedSampler(sampler, account) }).getTracer('test');
      tracer.startSpan('one').setStatus({ code: SpanStatusCode.OK }).end();
      expect(account).to.include({ started: 1, sampledOut });
    }
  });

  it('says nothing of a signal that is not exported', () => {
    const own = new Ledger();
    expect(own.view()).to.deep.equal({});
    own.logRecords.keep(() => ({ queued: 0, sending: 0 }));
    expect(own.view()).to.have.all.keys('log_records');
    expect(own.close()).to.have.all.keys('log_records');
  });

  it('accounts for the batches of the SDK, which the other transports use', async () => {
    const account = new Account();
    const exporter = exporterOfSdk();
    const inner = new BatchSpanProcessor({ exporter: exporter as never, maxQueueSize: 4, maxExportBatchSize: 2 });
    const processor = countedSpans(inner, exporter as never, account, 4);
    const sampler = countedSampler(new AlwaysOnSampler(), account);
    const tracer = new TracerProvider({ sampler, spanProcessors: [processor] }).getTracer('test');
    const open = tracer.startSpan('open');
    for (let each = 0; each < 9; each++) tracer.startSpan('ended').end();
    expectBalance(account.view());
    expect(account.view().in_flight).to.deep.equal({ open: 1, queued: 4, sending: 2 });
    expect(account.view().dropped.queue_full).to.equal(3);
    exporter.answer(SILENT);
    const flushed = processor.forceFlush();
    await new Promise(setImmediate);
    exporter.answer(ANSWERED);
    while (exporter.asked.length > 0) exporter.answer(TAKEN);
    await flushed.catch((error: unknown) => expect(String(error)).to.contain('refused'));
    open.end();
    expectBalance(account.view());
    expect(account.view()).to.deep.include({ exported: 2, unacknowledged: 2 });
    expect(account.view().dropped.failed).to.equal(4);
  });

  it('accounts for log records of the SDK too', async () => {
    const account = new Account();
    const exporter = exporterOfSdk();
    const inner = new BatchLogRecordProcessor({ exporter: exporter as never, maxQueueSize: 2, maxExportBatchSize: 2 });
    const processor = countedLogRecords(inner, exporter as never, account, 2);
    const logger = new LoggerProvider({ processors: [processor] }).getLogger('test');
    for (let each = 0; each < 5; each++) logger.emit({ body: 'line' });
    await new Promise(setImmediate);
    expectBalance(account.view());
    expect(account.view().in_flight.sending).to.equal(2);
    exporter.answer(TAKEN);
    await processor.shutdown();
    logger.emit({ body: 'after the end' });
    expectBalance(account.view());
    expect(account.view()).to.deep.include({ started: 5, exported: 2 });
    expect(account.view().dropped.queue_full).to.equal(3);
  });

  it('accounts for exports of metrics', () => {
    const account = new Account();
    const exporter = exporterOfSdk();
    countMetricExports(exporter, account);
    for (let each = 0; each < 4; each++) exporter.export({}, () => undefined);
    expectBalance(account.view());
    for (const result of [TAKEN, ANSWERED, SILENT]) exporter.answer(result);
    expectBalance(account.view());
    expect(account.view()).to.deep.include({
      started: 4,
      exported: 1,
      in_flight: { open: 0, queued: 0, sending: 1 },
      unacknowledged: 2,
    });
    expect(account.close().dropped).to.deep.include({ failed: 2, shutdown: 1 });
  });
});
