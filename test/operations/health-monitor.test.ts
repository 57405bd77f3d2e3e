import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { dependencyUp } from '../../src/core/telemetry/metrics/service-metrics.ts';
import {
  CHECK_INTERVAL_MS,
  CHECK_TIMEOUTS,
  type Dependency,
  HealthMonitor,
} from '../../src/operations/health-monitor.ts';

const QUICK = { requiredMs: 20, otherMs: 20 };
const ANSWERS_AND_SAYS_SO = `
  const { parentPort, workerData } = require('node:worker_threads');
  parentPort.on('message', () => {
    parentPort.postMessage('well');
    Atomics.store(workerData, 0, 1);
    Atomics.notify(workerData, 0);
  });
  parentPort.postMessage('ready');
`;
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

  it('is known to be bad within six seconds after what it needs began to hang', () => {
    expect(CHECK_INTERVAL_MS + CHECK_TIMEOUTS.requiredMs).to.be.below(6_000);
  });

  it('is known although a dependency hangs, and the others are checked meanwhile', async () => {
    const health = new HealthMonitor(
      [dependency('hung', true, () => new Promise(() => undefined)), dependency('well', false, well)],
      QUICK,
    );
    const round = health.checkAll();
    expect(health.status, 'asking waits for nothing').to.equal('down');
    await health.check('well');
    expect(health.dependencies['well']).to.include({ state: 'up' });
    await round;
    expect(health.dependencies['hung']).to.include({ state: 'down', last_error: 'no answer within 20 ms' });
  });

  it('is not asked for again while a dependency hangs, and is well again once it answers in time', async () => {
    const answers: (() => void)[] = [];
    const hung = () => new Promise<void>((resolve) => answers.push(resolve));
    const health = new HealthMonitor([dependency('hung', true, hung)], QUICK);
    await health.checkAll();
    await health.checkAll();
    await health.checkAll();
    expect(answers).to.have.lengthOf(1);
    expect(health.dependencies['hung']?.state).to.equal('down');
    expect(health.dependencies['hung']?.last_error).to.match(/^no answer for \d+ s$/);

    answers[0]?.();
    await new Promise(setImmediate);
    expect(health.status, 'an answer that is late is no good one').to.equal('down');
    const round = health.checkAll();
    expect(answers).to.have.lengthOf(2);
    answers[1]?.();
    await round;
    expect(health.dependencies['hung']).to.include({ state: 'up', last_error: null });
  });

  it('is asked for once when two ask at a time', async () => {
    const answers: (() => void)[] = [];
    const slow = () => new Promise<void>((resolve) => answers.push(resolve));
    const health = new HealthMonitor([dependency('slow', true, slow)], { requiredMs: 60_000, otherMs: 60_000 });
    const both = Promise.all([health.check('slow'), health.checkAll()]);
    expect(answers).to.have.lengthOf(1);
    answers[0]?.();
    await both;
    expect(health.status).to.equal('ok');
  });

  it('does not suffer from a standstill of this process, during which an answer has come', async () => {
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(ANSWERS_AND_SAYS_SO, { eval: true, workerData: answered });
    try {
      await once(worker, 'message');
      const ask = async () => {
        worker.postMessage('how are you?');
        await once(worker, 'message');
      };
      const health = new HealthMonitor([dependency('worker', true, ask)], QUICK);
      // From here on, timers come before messages.
      await new Promise(setImmediate);
      const round = health.checkAll();
      Atomics.wait(answered, 0, 0);
      // The answer is there; this process goes on only when the time for the check is over.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10 * QUICK.requiredMs);
      await round;
      expect(health.dependencies['worker']).to.include({ state: 'up', last_error: null });
    } finally {
      await worker.terminate();
    }
  });

  it('tells no secret of what went wrong', async () => {
    const refused = async () => {
      throw new Error('cannot reach mongodb://okapi:mongopw@mongo:27017');
    };
    const health = new HealthMonitor([dependency('store', false, refused)]);
    await health.checkAll();
    expect(health.dependencies['store']?.last_error).to.contain('cannot reach').and.not.contain('mongopw');
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
