import { expect } from 'chai';
import { request } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { signalMongo, signalPostgres } from '../support/signal-stores.ts';
import { useServices } from '../support/use-services.ts';

/** They run once the service is ready. One that a store fails has a trace, rightly, so they are waited for. */
const FIRST_JOBS = ['remove_ended_sessions', 'remove_delivered_from_outbox', 'measure_outbox'];

describe('stores that hang', () => {
  const { start } = useServices();

  it('make the service unready or degraded, then well again, and no poll of them is traced', async () => {
    const receiver = await startOtlpReceiver();
    try {
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '50' };
      const service = await start({ stores: 'embedded', env });
      const ask = (path: string) => request(`${service.url}${path}`);
      const isKnown = (status: number, health: string) =>
        eventually(async () => {
          const answer = await ask('/health/ready');
          return answer.status === status && answer.body.data.status === health && answer.body.data;
        });

      const well = await isKnown(200, 'ok');
      expect(well).to.include({ ready: true, draining: false });
      expect(well.dependencies.postgres).to.include({ state: 'up', required: true, last_error: null });

      await eventually(async () => {
        const { text } = await ask('/metrics/background_job_duration_seconds');
        return FIRST_JOBS.every((job) => new RegExp(`_count{job_name="${job}"} [1-9]`).test(text));
      });
      signalPostgres(service.dataDir, 'SIGSTOP');
      signalMongo(service.dataDir, 'SIGSTOP');
      const { dependencies } = await isKnown(503, 'down');
      expect(dependencies.postgres).to.include({ state: 'down', last_error: 'no answer within 900 ms' });
      expect(await ask('/health/live')).to.have.property('status', 200);
      expect((await ask('/health')).body.data.status).to.equal('down');
      expect((await ask('/metrics/okapi_dependency_up')).text).to.contain(
        'okapi_dependency_up{dependency="postgres"} 0',
      );

      signalPostgres(service.dataDir, 'SIGCONT');
      const degraded = await isKnown(200, 'degraded');
      expect(degraded.dependencies).to.deep.include.keys('postgres', 'mongo');
      expect(degraded.dependencies.mongo).to.include({ state: 'down', required: false });
      signalMongo(service.dataDir, 'SIGCONT');

      const { text } = await ask('/metrics/background_job_runs_total');
      const rounds = /job_name="check_dependencies"} (\d+)/.exec(text)?.[1];
      expect(Number(rounds)).to.be.at.least(2);
      expect(await service.stop()).to.deep.equal({ code: 0, signal: null });
      const lines = service.logLines().filter((line) => line['logger'] === 'app.operations.health');
      expect(lines.map(({ message }) => message)).to.include.members([
        'postgres is away',
        'mongo is away',
        'postgres is back',
      ]);
      expect(new Set(lines.map((line) => line['job_name']))).to.deep.equal(new Set(['check_dependencies']));
      expect(receiver.spans).to.deep.equal([]);
    } finally {
      await receiver.close();
    }
  });
});
