import { expect } from 'chai';
import { dependencyUp } from '../../src/core/telemetry/metrics/service-metrics.ts';
import { CHECK_TIMEOUT_MS, type Dependency, HealthMonitor } from '../../src/operations/health-monitor.ts';

const well = async () => undefined;
const ill = async () => {
  throw new Error('connection refused');
};
const dependency = (name: string, required: boolean, check: Dependency['check']): Dependency => ({
  name,
  required,
  check,
});

describe('the health of the service', () => {
  it('is down until what it needs was seen once', async () => {
    const health = new HealthMonitor([dependency('postgres', true, well), dependency('mongo', false, well)]);
    expect(health).to.include({ status: 'down', isReady: false });
    expect(health.dependencies['postgres']).to.include({ state: 'unknown', checked_at: null, latency_ms: null });
    await health.check('postgres');
    expect(health, 'what it can do without need not be known').to.include({ status: 'ok', isReady: true });
    await health.checkAll();
    expect(health).to.include({ status: 'ok', isReady: true });
  });

  for (const [what, required, status, isReady] of [
    ['what it needs', true, 'down', false],
    ['what it can do without', false, 'degraded', true],
  ] as const) {
    it(`is ${status} when ${what} is away, says why, and is ok when it is back`, async () => {
      let check: Dependency['check'] = well;
      const health = new HealthMonitor([dependency('store', required, (timeoutMs) => check(timeoutMs))]);
      await health.checkAll();
      check = ill;
      await health.checkAll();
      expect(health).to.include({ status, isReady });
      expect(health.dependencies['store']).to.include({ state: 'down', last_error: 'connection refused' });
      expect(dependencyUp.labels({ dependency: 'store' }).value).to.equal(0);
      check = well;
      await health.checkAll();
      expect(health).to.include({ status: 'ok', isReady: true });
      expect(health.dependencies['store']).to.include({ state: 'up', last_error: null });
      expect(dependencyUp.labels({ dependency: 'store' }).value).to.equal(1);
    });
  }

  it('is known within the time for a check when a dependency hangs, and the others are checked meanwhile', async () => {
    const health = new HealthMonitor([
      dependency('hung', true, () => new Promise(() => undefined)),
      dependency('well', false, well),
    ]);
    const startedAt = performance.now();
    const round = health.checkAll();
    expect(health.status, 'asking waits for nothing').to.equal('down');
    await health.check('well');
    expect(health.dependencies['well']).to.include({ state: 'up' });
    await round;
    expect(performance.now() - startedAt).to.be.within(CHECK_TIMEOUT_MS - 50, CHECK_TIMEOUT_MS + 500);
    expect(health.dependencies['hung']).to.include({ state: 'down', last_error: 'no answer within 2000 ms' });
  });

  for (const [what, check, expected] of [
    [
      'throws at once',
      () => {
        throw new Error('at once');
      },
      'at once',
    ],
    ['rejects with a text', () => Promise.reject('no error'), 'no error'],
    ['rejects with nothing', () => Promise.reject(undefined), 'undefined'],
    ['rejects with an error without words', () => Promise.reject(new RangeError('')), 'RangeError'],
  ] as [string, Dependency['check'], string][]) {
    it(`is known too when a check ${what}`, async () => {
      const health = new HealthMonitor([dependency('odd', true, check)]);
      await health.checkAll();
      expect(health.dependencies['odd']).to.include({ state: 'down', last_error: expected });
    });
  }

  it('is degraded by a fault of the process itself', async () => {
    const health = new HealthMonitor([dependency('postgres', true, well)]);
    await health.checkAll();
    health.faults.push('pg is not instrumented');
    expect(health).to.include({ status: 'degraded', isReady: true });
  });

  it('is not ready once it is about to stop, however well it is', async () => {
    const health = new HealthMonitor([dependency('postgres', true, well)]);
    await health.checkAll();
    health.startDraining();
    expect(health).to.include({ status: 'ok', isReady: false, isDraining: true });
  });
});
