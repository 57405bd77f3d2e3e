import { expect } from 'chai';
import { request } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { signalMongo, signalPostgres } from '../support/signal-stores.ts';
import { useServices } from '../support/use-services.ts';

/** The traces of jobs that did something and failed, as one does that began right before its store hung. */
function failedJobs(receiver: OtlpReceiver): Set<string> {
  const failed = receiver.spans.filter(
    ({ attributes: { 'okapi.job_name': job, 'error.type': type } }) =>
      type !== undefined && job !== undefined && job !== 'check_dependencies',
  );
  return new Set(failed.map(({ traceId }) => traceId));
}

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
      const allowed = failedJobs(receiver);
      expect(receiver.spans.filter(({ traceId }) => !allowed.has(traceId))).to.deep.equal([]);
    } finally {
      await receiver.close();
    }
  });
});
