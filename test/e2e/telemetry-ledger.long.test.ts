import { expect } from 'chai';
import { type Behaviour, type FaultyReceiver, startFaultyReceiver } from '../../bench/counting/faulty-receiver.ts';
import { findProgram } from '../../ops/verify/programs.ts';
import type { AccountView, LedgerView } from '../../src/core/telemetry/ledger.ts';
import { expectBalance } from '../core/telemetry/balance.ts';
import { request } from '../support/client.ts';
import { prepareCollector } from '../support/collector.ts';
import { eventually } from '../support/eventually.ts';
import { flood } from '../support/flood.ts';
import { type Service, temporaryFolder } from '../support/service.ts';
import { useServices } from '../support/use-services.ts';

/* The short form is in telemetry-ledger.test.ts. */

const REQUESTS = 100_000;
const NOTHING_LOST = { queue_full: 0, too_large: 0, rejected: 0, failed: 0, shutdown: 0 };
const TRACES_ONLY = { OTEL_LOGS_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', LOG_LEVEL: 'WARNING' };
const otelcol = findProgram('otelcol');

describe('a hundred thousand requests through a receiver in trouble', () => {
  const { start } = useServices();

  const startExporting = (url: string, env: Record<string, string> = {}) =>
    start({ env: { LOG_LEVEL: 'WARNING', OTEL_EXPORTER_OTLP_ENDPOINT: url, ...env } });

  async function send(service: Service, requests: number): Promise<void> {
    expect(await flood(`${service.url}/`, requests)).to.equal(requests);
  }

  async function spansOf({ url }: Service): Promise<AccountView> {
    const { body } = await request(`${url}/health`);
    for (const view of Object.values(body.data.telemetry)) expectBalance(view as AccountView);
    return body.data.telemetry.spans;
  }

  /** Waits until the receiver was asked once more in vain, which may be half a minute after the last time. */
  async function spoilt(receiver: FaultyReceiver, before: number): Promise<void> {
    const isSpoilt = () => receiver.spoilt > before;
    if (!(await eventually(isSpoilt).catch(() => false))) await eventually(isSpoilt);
  }

  /** What was kept is sent half a minute or so after the receiver is back at the latest. */
  async function everythingIsExported(service: Service): Promise<void> {
    for (let rounds = 0; rounds < 4; rounds++) {
      const isExported = async () => {
        const { in_flight } = await spansOf(service);
        return in_flight.open + in_flight.queued + in_flight.sending === 0;
      };
      if (await eventually(isExported).catch(() => false)) return;
    }
    throw new Error(`Not exported: ${JSON.stringify(await spansOf(service))}`);
  }

  /** A job that had something to do meanwhile has spans beside those of the requests. */
  function expectAllExported(spans: AccountView): void {
    expect(spans).to.deep.include({ exported: spans.started, dropped: NOTHING_LOST, unacknowledged: 0 });
    expect(spans.started).to.be.at.least(REQUESTS);
  }

  async function lastWord(service: Service): Promise<Required<LedgerView>> {
    expect(await service.stop()).to.deep.equal({ code: 0, signal: null });
    const line = service.logLines().find(({ message }) => message === 'Telemetry of this process');
    process.stdout.write(`      ${JSON.stringify(line?.['extra'])}\n`);
    const view = line?.['extra'] as Required<LedgerView>;
    for (const account of Object.values(view)) expectBalance(account);
    return view;
  }

  it('are all traced at a receiver that was killed, slow, full, and is back', async () => {
    const receiver = await startFaultyReceiver();
    try {
      const service = await startExporting(receiver.url);
      const faults: Behaviour[] = [
        { kind: 'takes' },
        { kind: 'refuses', status: 429, headers: { 'Retry-After': '3' } },
        { kind: 'slow', ms: 10_000 },
        { kind: 'resets' },
        { kind: 'refuses', status: 503 },
      ];
      for (const fault of faults) {
        const before = receiver.spoilt;
        receiver.behave(fault);
        await send(service, 15_000);
        if (fault.kind !== 'takes') await spoilt(receiver, before);
      }
      await receiver.down();
      await send(service, 15_000);
      receiver.behave({ kind: 'takes' });
      await receiver.up();
      await send(service, REQUESTS - 6 * 15_000);
      await everythingIsExported(service);
      const { spans, log_records } = await lastWord(service);
      expectAllExported(spans);
      expect(receiver.spans).to.equal(spans.exported);
      expect(receiver.serverSpans).to.equal(REQUESTS);
      expect(receiver.logRecords).to.be.at.least(log_records.exported);
    } finally {
      await receiver.down();
    }
  });

  it('are traced up to the bound of the queue where nobody takes them, and the rest is counted', async () => {
    const receiver = await startFaultyReceiver();
    try {
      await receiver.down();
      const service = await startExporting(receiver.url, TRACES_ONLY);
      await send(service, REQUESTS + 20_000);
      const { dropped, in_flight } = await spansOf(service);
      expect(dropped.queue_full).to.be.above(0);
      await receiver.up();
      await everythingIsExported(service);
      const { spans } = await lastWord(service);
      expect(spans.exported, 'everything within the queue').to.be.at.least(in_flight.queued + in_flight.sending);
      expect(spans.dropped).to.deep.equal({ ...NOTHING_LOST, queue_full: spans.started - spans.exported });
      expect(receiver.spans).to.equal(spans.exported);
    } finally {
      await receiver.down();
    }
  });

  if (otelcol === undefined) {
    before(() => process.stdout.write('      left out: a real collector (no otelcol on PATH or in OKAPI_PEERS)\n'));
    return;
  }
  it('are all traced at a real collector that was held up, killed, stopped, and is back', async () => {
    const collector = await prepareCollector(otelcol, temporaryFolder());
    try {
      await collector.start();
      const service = await startExporting(collector.url, TRACES_ONLY);
      await send(service, 20_000);
      collector.signal('SIGSTOP');
      await send(service, 20_000);
      collector.signal('SIGCONT');
      await send(service, 20_000);
      await collector.end('SIGKILL');
      await send(service, 20_000);
      await collector.start();
      await send(service, 10_000);
      await collector.end('SIGTERM');
      await send(service, 5_000);
      await collector.start();
      await send(service, REQUESTS - 95_000);
      await everythingIsExported(service);
      const { spans } = await lastWord(service);
      expectAllExported(spans);
      expect(await collector.spans()).to.equal(spans.exported);
    } finally {
      collector.signal('SIGCONT');
      await collector.end('SIGTERM');
    }
  });
});
