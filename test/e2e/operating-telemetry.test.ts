import { once } from 'node:events';
import net from 'node:net';
import { expect } from 'chai';
import { request, signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { LogLine, Service } from '../support/service.ts';
import { useServices } from '../support/use-services.ts';

const CLEAN = { code: 0, signal: null };
const QUICK_EXPORT = {
  OTEL_BSP_SCHEDULE_DELAY: '50',
  OTEL_BLRP_SCHEDULE_DELAY: '50',
  OTEL_METRIC_EXPORT_INTERVAL: '100',
  OTEL_METRIC_EXPORT_TIMEOUT: '100',
};
/** With which an exporter would wait for an answer for ever: a stop that waits for the exporter never ends. */
const PATIENT_EXPORT = {
  OTEL_EXPORTER_OTLP_TIMEOUT: '3600000',
  OTEL_BSP_EXPORT_TIMEOUT: '3600000',
  OTEL_BLRP_EXPORT_TIMEOUT: '3600000',
};

describe('a collector that is down', () => {
  const { start } = useServices();
  let mute: net.Server;
  const held: net.Socket[] = [];

  before(async () => {
    mute = net.createServer((socket) => held.push(socket.on('error', () => undefined)));
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
  });
  after(() => {
    for (const socket of held) socket.destroy();
    mute.close();
  });

  function exportTo(port: number): Promise<Service> {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
    return start({ env: { ...QUICK_EXPORT, ...PATIENT_EXPORT, ...endpoint } });
  }

  /** Uses the service, stops it, and expects that nobody noticed but the reader of the log, and that one once. */
  async function expectUnnoticed(service: Service, hasBeenTried: () => boolean): Promise<void> {
    await signIn(service.url);
    await eventually(hasBeenTried);
    for (let requests = 0; requests < 20; requests++) {
      expect(await request(`${service.url}/`)).to.have.property('status', 200);
    }
    await signIn(service.url);
    expect(await service.stop()).to.deep.equal(CLEAN);
    const lines = service.logLines();
    expect(sdkWarnings(lines)).to.have.length.at.most(1);
    expect(lines.filter(({ level }) => level === 'ERROR')).to.deep.equal([]);
    expect(lines.at(-1)?.message).to.equal('Stopped');
  }

  const sdkWarnings = (lines: LogLine[]) => lines.filter((line) => line['logger'] === 'app.telemetry.sdk');

  it('fails no request and holds up no stop, whether it refuses or accepts and never answers', async () => {
    const [refused, unanswered] = await Promise.all([exportTo(1), exportTo((mute.address() as net.AddressInfo).port)]);
    await Promise.all([
      expectUnnoticed(refused, () => sdkWarnings(refused.logLines()).length > 0),
      expectUnnoticed(unanswered, () => held.length > 0),
    ]);
  });
});

describe('OTEL_SDK_DISABLED', () => {
  const { start } = useServices();

  it('exports nothing, while ids and metrics stay', async () => {
    const receiver = await startOtlpReceiver();
    try {
      const env = { ...QUICK_EXPORT, OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
      const service = await start({ env });
      const { body, headers } = await request(`${service.url}/`);
      expect(body.meta.request_id).to.equal(headers.get('x-request-id'));
      expect(body.meta.trace_id).to.match(/^[0-9a-f]{32}$/);
      const line = await eventually(() =>
        service.logLines().find((each) => each['request_id'] === body.meta.request_id),
      );
      expect(line['trace_id']).to.equal(body.meta.trace_id);
      const { text } = await request(`${service.url}/metrics`);
      expect(text).to.contain('app_requests_total{method="GET",endpoint="/",status="200"} 1');
      expect(await service.stop()).to.deep.equal(CLEAN);
      expect([receiver.spans, receiver.logs, receiver.metrics]).to.deep.equal([[], [], []]);
    } finally {
      await receiver.close();
    }
  });
});
