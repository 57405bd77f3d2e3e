import { join } from 'node:path';
import { expect } from 'chai';
import { readSettings } from '../../src/core/config/index.ts';
import { type EmbeddedStores, startEmbeddedStores } from '../../src/db/embedded/index.ts';
import { probePostgres } from '../../src/db/postgres/probe.ts';
import { HealthMonitor } from '../../src/operations/health-monitor.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/service.ts';
import { signalPostgres } from '../support/signal-stores.ts';

describe('a PostgreSQL that is stopped', () => {
  let dataDir: string;
  let stores: EmbeddedStores;
  before(async () => {
    dataDir = join(temporaryFolder(), 'data');
    stores = await startEmbeddedStores({
      dataDir,
      postgres: { databases: ['okapi'] },
      mongo: false,
      mongoDb: '',
      onStep: () => undefined,
    });
  });
  after(async () => {
    signalPostgres(dataDir, 'SIGCONT');
    await stores.stop();
  });

  it('is down, is asked for with one connection however long it takes, and is up when it goes on', async () => {
    const options = { ...readSettings({}), connectionString: stores.databaseUrl?.('okapi') ?? '' };
    let asked = 0;
    const check = () => {
      asked++;
      return probePostgres({ ...options, postgresSslmode: 'disable' });
    };
    const health = new HealthMonitor([{ name: 'postgres', required: true, check }], {
      requiredMs: 2_000,
      otherMs: 2_000,
    });
    await health.checkAll();
    expect(health).to.include({ status: 'ok', isReady: true });

    signalPostgres(dataDir, 'SIGSTOP');
    for (let round = 0; round < 5; round++) await health.checkAll();
    expect(health).to.include({ status: 'down', isReady: false });
    expect(health.dependencies['postgres']?.last_error).to.match(/^no answer for \d s$/);
    expect(asked).to.equal(2);

    signalPostgres(dataDir, 'SIGCONT');
    await eventually(() => health.checkAll().then(() => health.isReady));
    expect(health.dependencies['postgres']).to.include({ state: 'up', last_error: null });
  });
});
