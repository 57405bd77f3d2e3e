import { once } from 'node:events';
import net from 'node:net';
import { expect } from 'chai';
import { request } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { leaveOut } from '../support/leave-out.ts';
import { startLoad } from '../support/load.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { expectNoneLeft } from '../support/processes.ts';
import type { Service, ServiceOptions } from '../support/service.ts';
import { useServices } from '../support/use-services.ts';

const CLIENTS = 20;
const ANSWERS_BEFORE_STOP = 100;
const CLEAN = { code: 0, signal: null };
/** Under which a service may take many registrations. */
const UNLIMITED = { RATE_LIMIT_ENABLED: 'false' };

describe('a stop under load', () => {
  const { start } = useServices();
  let receiver: OtlpReceiver;

  before(async () => {
    receiver = await startOtlpReceiver();
  });
  after(() => receiver.close());

  function startTraced(options: ServiceOptions = {}): Promise<Service> {
    const env = {
      ...UNLIMITED,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '300',
      ...options.env,
    };
    return start({ ...options, env });
  }

  /** Loads the service and stops it in the middle. */
  async function stopUnderLoad(service: Service, stop: () => unknown) {
    const load = startLoad(service.url, CLIENTS);
    await eventually(() => load.answered.length >= ANSWERS_BEFORE_STOP);
    const [ending] = await Promise.all([service.ended, load.ended, stop()]);
    return { load, ending };
  }

  /** Expects that nobody who was heard went without an answer. */
  async function expectNothingLost(service: Service, stop: () => unknown): Promise<void> {
    await expectWhole(service, await stopUnderLoad(service, stop));
  }

  async function expectWhole(service: Service, { load, ending }: Awaited<ReturnType<typeof stopUnderLoad>>) {
    expect(load.lost).to.deep.equal([]);
    expect(load.answered.filter(({ status }) => status >= 300)).to.deep.equal([]);
    expect(ending).to.deep.equal(CLEAN);

    const lines = service.logLines();
    expect(lines.at(-1)?.message).to.equal('Stopped');
    const logged = new Set(
      lines.filter((line) => line['logger'] === 'app.http.access').map((line) => line['request_id']),
    );
    expect(load.answered.filter(({ requestId }) => !logged.has(requestId))).to.deep.equal([]);
    const traced = new Set(
      receiver.spans.filter(({ parentSpanId }) => parentSpanId === '').map(({ traceId }) => traceId),
    );
    expect(load.answered.filter(({ traceId }) => !traced.has(traceId))).to.deep.equal([]);
    await expectNoneLeft(service.folder);
  }

  it('by SIGTERM loses no request, no span and no log line', async () => {
    const service = await startTraced();
    await expectNothingLost(service, () => service.process.kill('SIGTERM'));
  });

  it('by SIGTERM to npm loses no request, no span and no log line', async () => {
    const service = await startTraced({ command: ['npm', 'start'] });
    await expectNothingLost(service, () => service.process.kill('SIGTERM'));
  });

  it('by Ctrl-C on a terminal, which arrives twice, loses no request, no span and no log line', async function () {
    const terminal = ['script', '--quiet', '--return', '--flush', '--command', 'exec npm start', '/dev/null'];
    for (let attempt = 1; ; attempt++) {
      const service = await startTraced({ command: terminal, stdin: 'pipe' }).catch((error: unknown) => {
        if ((error as { code?: string }).code === 'ENOENT') return undefined;
        throw error;
      });
      if (service === undefined) return leaveOut(this, 'there is no script command, which makes a terminal');
      const outcome = await stopUnderLoad(service, () => service.process.stdin?.write('\x03'));
      // On a machine that is held up npm may pass its own on more than a second later, which then is a second wish.
      if (outcome.ending.code === 1 && attempt < 4) continue;
      await expectWhole(service, outcome);
      return;
    }
  });

  it('turns readiness to 503 and goes on answering for SHUTDOWN_DELAY_MS', async () => {
    // Long enough to be asked in, on a machine that stalls for a second.
    const service = await startTraced({ env: { SHUTDOWN_DELAY_MS: '3000' } });
    await expectNothingLost(service, async () => {
      service.process.kill('SIGTERM');
      await eventually(async () => (await request(`${service.url}/health/ready`)).status === 503);
      expect(await request(`${service.url}/`)).to.have.property('status', 200);
    });
  });
});

describe('a stop while a request hangs', () => {
  const { start } = useServices();

  /** Sends the head of a request, and half of its body. */
  async function hang(service: Service): Promise<net.Socket> {
    const socket = net.connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const head =
      'POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{';
    socket.write(head);
    // The server has the head when it has answered one that was sent later.
    await request(`${service.url}/`);
    return socket;
  }

  const isStopping = (service: Service) => service.logLines().some(({ message }) => message.startsWith('Stopping'));

  it('cuts it after SHUTDOWN_GRACE_MS, and still exits with 0', async () => {
    const service = await start({ env: { SHUTDOWN_GRACE_MS: '400' } });
    const socket = await hang(service);
    const cut = once(socket, 'close');
    expect(await service.stop()).to.deep.equal(CLEAN);
    await cut;
    expect(service.logLines().at(-1)?.message).to.equal('Stopped');
    expect(service.logLines('error')).to.deep.equal([]);
  });

  it('takes a second signal within a second for the same, and exits at once on a later one', async () => {
    const service = await start({ env: { SHUTDOWN_GRACE_MS: '60000' } });
    await hang(service);
    const firstAt = performance.now();
    service.process.kill('SIGTERM');
    service.process.kill('SIGINT');
    await eventually(() => isStopping(service));
    // Signals are sent until one is late enough; those before it have changed nothing.
    const hasEnded = () => service.process.exitCode !== null || !service.process.kill('SIGTERM');
    await eventually(hasEnded);
    expect(performance.now() - firstAt).to.be.above(1_000);
    expect(await service.ended).to.deep.equal({ code: 1, signal: null });
    await expectNoneLeft(service.folder);
  });
});
