import { expect } from 'chai';
import { type FaultyReceiver, startFaultyReceiver } from '../../bench/counting/faulty-receiver.ts';
import type { AccountView, LedgerView } from '../../src/core/telemetry/ledger.ts';
import { expectBalance } from '../core/telemetry/balance.ts';
import { request, signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import type { Service } from '../support/service.ts';
import { useServices } from '../support/use-services.ts';

const CLEAN = { code: 0, signal: null };
const NOTHING_LOST = { queue_full: 0, too_large: 0, rejected: 0, failed: 0, shutdown: 0 };
const NOTHING_LEFT = { open: 0, queued: 0, sending: 0 };
const QUICK = { OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_BLRP_SCHEDULE_DELAY: '50', OTEL_METRIC_EXPORT_INTERVAL: '200' };

describe('the ledger of telemetry', () => {
  const { start } = useServices();
  let receiver: FaultyReceiver;

  beforeEach(async () => {
    receiver = await startFaultyReceiver();
  });
  afterEach(() => receiver.down());

  function startExporting(env: Record<string, string> = {}): Promise<Service> {
    return start({ env: { ...QUICK, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env } });
  }

  async function send(service: Service, requests: number): Promise<void> {
    for (let each = 0; each < requests; each++) {
      expect(await request(`${service.url}/`)).to.have.property('status', 200);
    }
  }

  /** The accounts that `/health` shows. */
  async function accounts({ url }: Service): Promise<Required<LedgerView>> {
    const { body } = await request(`${url}/health`);
    for (const view of Object.values(body.data.telemetry)) expectBalance(view as AccountView);
    return body.data.telemetry;
  }

  /** Stops the service and reads the accounts that it leaves in its log. */
  async function lastWord(service: Service): Promise<Required<LedgerView>> {
    expect(await service.stop()).to.deep.equal(CLEAN);
    const lines = service.logLines().filter(({ message }) => message === 'Telemetry of this process');
    expect(lines).to.have.lengthOf(1);
    expect(lines[0]).to.include({ level: 'INFO', logger: 'app.process' });
    const view = lines[0]?.['extra'] as Required<LedgerView>;
    for (const account of Object.values(view)) {
      expectBalance(account);
      expect(account.in_flight).to.deep.equal(NOTHING_LEFT);
    }
    return view;
  }

  it('says exactly what a receiver got that stays up', async () => {
    const service = await startExporting();
    await signIn(service.url);
    await send(service, 50);
    await eventually(async () => (await accounts(service)).metric_exports.exported > 0);
    const { spans, log_records, metric_exports } = await lastWord(service);
    for (const account of [spans, log_records, metric_exports]) {
      expect(account).to.deep.include({ sampled_out: 0, dropped: NOTHING_LOST, unacknowledged: 0 });
    }
    expect(spans.exported).to.equal(receiver.spans);
    expect(receiver.spans).to.be.above(receiver.serverSpans);
    expect(log_records.exported).to.equal(receiver.logRecords);
    expect(metric_exports.exported).to.equal(receiver.metricExports);
  });

  it('says what was sampled out', async () => {
    const service = await startExporting({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' });
    await send(service, 60);
    const { spans } = await lastWord(service);
    expect(spans.started).to.equal(60);
    expect(spans.sampled_out).to.be.within(1, 59);
    expect(spans.exported).to.equal(receiver.spans);
  });

  it('has everything delivered to a receiver that refused, fell silent, cut, was gone and is back', async () => {
    const service = await startExporting({ OTEL_EXPORTER_OTLP_TIMEOUT: '300' });
    const spoilt = async (count: number) => eventually(() => receiver.spoilt >= count);
    await send(service, 10);
    for (const behaviour of [
      { kind: 'refuses', status: 429, headers: { 'Retry-After': '1' } },
      { kind: 'holds' },
      { kind: 'resets' },
      { kind: 'refuses', status: 503 },
    ] as const) {
      const before = receiver.spoilt;
      receiver.behave(behaviour);
      await send(service, 10);
      await spoilt(before + 1);
    }
    await receiver.down();
    await send(service, 10);
    receiver.behave({ kind: 'takes' });
    await receiver.up();
    await eventually(async () => {
      const { spans, log_records } = await accounts(service);
      return spans.exported === spans.started && log_records.exported === log_records.started;
    });
    const { spans, log_records } = await lastWord(service);
    for (const account of [spans, log_records]) {
      expect(account).to.deep.include({ dropped: NOTHING_LOST, unacknowledged: 0 });
    }
    expect(spans.exported).to.equal(receiver.spans);
    expect(receiver.serverSpans).to.equal(60);
    expect(receiver.logRecords, 'some came twice').to.be.at.least(log_records.exported);
  });

  it('says what may have arrived of what was lost with the process', async () => {
    const service = await startExporting({ OTEL_METRICS_EXPORTER: 'none' });
    await send(service, 10);
    await eventually(async () => (await accounts(service)).spans.exported === 10);
    receiver.behave({ kind: 'holds' });
    await send(service, 10);
    await eventually(() => receiver.spans === 20);
    const view = await lastWord(service);
    expect(view).to.have.all.keys('spans', 'log_records');
    expect(view.spans.dropped).to.deep.equal({ ...NOTHING_LOST, shutdown: 10 });
    expect(view.spans).to.include({ exported: 10, unacknowledged: 10 });
    expect(view.spans.exported + view.spans.unacknowledged).to.equal(receiver.spans);
  });

  it('is not kept of what is not exported', async () => {
    const service = await start({ env: {} });
    expect(await accounts(service)).to.deep.equal({});
    expect(await service.stop()).to.deep.equal(CLEAN);
    expect(service.logLines().map(({ message }) => message)).not.to.include('Telemetry of this process');
  });
});
