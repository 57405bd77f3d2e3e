import { expect } from 'chai';
import { createBackgroundTasks, type PeriodicTask, type TaskClock } from '../../../src/core/background/tasks.ts';
import { WakeUp } from '../../../src/core/background/wake-up.ts';
import { getLogger, globalBackgroundTasks, stopLogger, updateSystemMetrics } from '../../../src/core/index.ts';
import { backgroundJobFailures, backgroundJobRuns } from '../../../src/core/telemetry/metrics/metrics.ts';
import { removeTemporaryDirectories, start as startLogging } from '../logging/harness.ts';

const HOUR_MS = 3_600_000;

/** Time that passes only when a test says so. */
class FakeClock implements TaskClock {
  nowMs = 0;
  readonly #waits: { ms: number; end: () => void }[] = [];
  readonly #askers: ((wait: { ms: number; end: () => void }) => void)[] = [];

  now = (): number => this.nowMs;

  wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const wait = { ms, end: resolve };
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', () => resolve());
      const asker = this.#askers.shift();
      if (asker === undefined) this.#waits.push(wait);
      else asker(wait);
    });

  /** The next wait that a task asks for, once it does. */
  next(): Promise<{ ms: number; end: () => void }> {
    const wait = this.#waits.shift();
    return wait === undefined ? new Promise((resolve) => this.#askers.push(resolve)) : Promise.resolve(wait);
  }

  get isWaitedFor(): boolean {
    return this.#waits.length > 0;
  }

  /** Lets the next wait pass; resolves to how long it was. */
  async pass(): Promise<number> {
    const { ms, end } = await this.next();
    this.nowMs += ms;
    end();
    return ms;
  }
}

function figuresOf(name: string) {
  const labels = { job_name: name };
  return { runs: backgroundJobRuns.labels(labels).value, failures: backgroundJobFailures.labels(labels).value };
}

describe('background tasks', () => {
  let clock: FakeClock;
  let tasks: ReturnType<typeof createBackgroundTasks>;
  beforeEach(() => {
    clock = new FakeClock();
    tasks = createBackgroundTasks({ clock });
  });
  afterEach(() => tasks.stop());

  const start = (name: string, run: PeriodicTask['run'], intervalMs = 5_000) => tasks.start({ name, intervalMs, run });

  it('run at once, then from beat to beat however long a run takes', async () => {
    const startedAt: number[] = [];
    start('from_beat_to_beat', async () => {
      startedAt.push(clock.nowMs);
      clock.nowMs += 1_200;
    });
    expect(startedAt).to.deep.equal([0]);
    expect([await clock.pass(), await clock.pass()]).to.deep.equal([3_800, 3_800]);
    await clock.next();
    expect(startedAt).to.deep.equal([0, 5_000, 10_000]);
    expect(figuresOf('from_beat_to_beat')).to.deep.equal({ runs: 3, failures: 0 });
  });

  it('let the beats pass that a long run misses, and are never run twice at once', async () => {
    let running = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    start('takes_long', async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
    });
    clock.nowMs = 12_000;
    await new Promise(setImmediate);
    expect({ runs: ends.length, isWaiting: clock.isWaitedFor }).to.deep.equal({ runs: 1, isWaiting: false });
    ends[0]?.();
    expect(await clock.pass()).to.equal(3_000);
    await new Promise(setImmediate);
    expect({ runs: ends.length, most }).to.deep.equal({ runs: 2, most: 1 });
    ends[1]?.();
  });

  describe('that can be woken', () => {
    let ends: (() => void)[];
    let wakeUp: WakeUp;
    beforeEach(() => {
      ends = [];
      wakeUp = new WakeUp();
    });
    const startHeld = (name: string) =>
      tasks.start({ name, intervalMs: 5_000, wakeUp, run: () => new Promise<void>((resolve) => ends.push(resolve)) });
    const untilAsleep = async () => {
      ends.at(-1)?.();
      await clock.next();
    };

    it('run at once when they are, and wait for their beat when they are not', async () => {
      startHeld('woken_at_rest');
      await untilAsleep();
      expect(ends).to.have.length(1);
      wakeUp.ring();
      await new Promise(setImmediate);
      expect(ends).to.have.length(2);
      ends[1]?.();
      await clock.pass();
      await new Promise(setImmediate);
      expect(ends).to.have.length(3);
      ends[2]?.();
    });

    it('run once more when they are woken while they run, however often', async () => {
      startHeld('woken_at_work');
      for (let ring = 0; ring < 5; ring++) wakeUp.ring();
      ends[0]?.();
      await new Promise(setImmediate);
      expect(ends).to.have.length(2);
      await untilAsleep();
      expect(ends).to.have.length(2);
    });

    it('end when they are told to, asleep as they are', async () => {
      startHeld('stopped_at_rest');
      await untilAsleep();
      await tasks.stop();
      wakeUp.ring();
      await new Promise(setImmediate);
      expect(ends).to.have.length(1);
    });

    it('are not woken while they wait after a failure', async () => {
      let runs = 0;
      const run = () => {
        runs++;
        return Promise.reject(new Error('no connection'));
      };
      tasks.start({ name: 'woken_after_failure', intervalMs: 5_000, wakeUp, run });
      const { ms } = await clock.next();
      wakeUp.ring();
      await new Promise(setImmediate);
      expect({ ms, runs }).to.deep.equal({ ms: 1_000, runs: 1 });
    });
  });

  it('do not hold up each other', async () => {
    start('hangs', (signal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())));
    start('goes_on', async () => undefined);
    expect([await clock.pass(), await clock.pass()]).to.deep.equal([5_000, 5_000]);
    await clock.next();
    expect(figuresOf('goes_on').runs).to.equal(3);
    expect(figuresOf('hangs').runs).to.equal(1);
  });

  describe('whose run fails', () => {
    it('are tried again later and later, up to a minute, and from beat to beat once it succeeds', async () => {
      let isBroken = true;
      start('breaks', async () => {
        if (isBroken) throw new Error('no connection');
      });
      const waits: number[] = [];
      for (let failure = 0; failure < 9; failure++) waits.push(await clock.pass());
      expect(waits).to.deep.equal([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
      isBroken = false;
      await clock.pass();
      expect(await clock.pass()).to.equal(5_000);
      isBroken = true;
      await clock.pass();
      expect(await clock.pass(), 'patience is new after a success').to.equal(1_000);
      expect(figuresOf('breaks').failures).to.be.at.least(11);
    });

    it('are tried again soon although they run once an hour, and at most once an hour in the end', async () => {
      start('breaks_hourly', () => Promise.reject(new Error('no connection')), HOUR_MS);
      const waits: number[] = [];
      for (let failure = 0; failure < 14; failure++) waits.push(await clock.pass());
      expect(waits.slice(0, 2)).to.deep.equal([1_000, 2_000]);
      expect(waits.slice(-2)).to.deep.equal([HOUR_MS, HOUR_MS]);
    });

    for (const [what, run] of [
      ['throws at once', () => assertNever()],
      ['rejects with nothing', () => Promise.reject(undefined)],
    ] as [string, PeriodicTask['run']][]) {
      it(`go on when it ${what}`, async () => {
        const name = what.replaceAll(' ', '_');
        start(name, run);
        expect(await clock.pass()).to.equal(1_000);
        await clock.next();
        expect(figuresOf(name)).to.deep.equal({ runs: 2, failures: 2 });
      });
    }

    it('say so in a line that names the job, as does what they log themselves', async () => {
      const { console } = startLogging();
      start('logs', async () => {
        getLogger('app.test').info('At work');
        throw new Error('no connection');
      });
      await clock.next();
      await stopLogger();
      const [own, failed, ...more] = console.lines;
      expect(own).to.include({ message: 'At work', job_name: 'logs' });
      expect(failed).to.include({
        level: 'ERROR',
        message: 'The background task logs failed',
        logger: 'app.background.tasks',
        job_name: 'logs',
      });
      expect(failed?.extra).to.deep.equal({ failures: 1, retry_in_ms: 1_000 });
      expect(failed?.exception).to.include({ type: 'Error', message: 'no connection' });
      expect(more).to.deep.equal([]);
      removeTemporaryDirectories();
    });
  });

  describe('that are stopped', () => {
    it('are told by their signal and awaited; giving up is no failure, and is not logged', async () => {
      const { console } = startLogging();
      let hasEnded = false;
      start('gives_up', async (signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await new Promise(setImmediate);
        hasEnded = true;
        signal.throwIfAborted();
      });
      await tasks.stop();
      expect(hasEnded).to.equal(true);
      expect(figuresOf('gives_up')).to.deep.equal({ runs: 1, failures: 0 });
      await stopLogger();
      expect(console.text).to.equal('');
      removeTemporaryDirectories();
    });

    it('wait for nothing between two runs, and run no more', async () => {
      const runs: string[] = [];
      start('between_runs', async () => {
        runs.push('first');
      });
      await clock.next();
      await tasks.stop();
      start('too_late', async () => {
        runs.push('too late');
      });
      await tasks.stop();
      expect(runs).to.deep.equal(['first']);
    });
  });

  it('have names of their own, which are job names, and an interval that a timer can count', () => {
    start('twice', async () => undefined);
    expect(() => start('twice', async () => undefined)).to.throw('There is a background task twice already');
    expect(() => start('No Name', async () => undefined)).to.throw(TypeError, 'is not a job name');
    for (const intervalMs of [0, -1, Number.NaN, 2 ** 31]) {
      expect(() => start('bad_interval', async () => undefined, intervalMs)).to.throw(RangeError, 'bad_interval');
    }
  });

  it('wait in real time too, and stop in the middle of it', async () => {
    const real = createBackgroundTasks();
    const twice = Promise.withResolvers<void>();
    let runs = 0;
    const run = async () => {
      if (++runs === 2) twice.resolve();
    };
    real.start({ name: 'in_real_time', intervalMs: 1, run });
    real.start({ name: 'once_an_hour', intervalMs: HOUR_MS, run: () => updateSystemMetrics() });
    await twice.promise;
    await real.stop();
    expect(figuresOf('once_an_hour')).to.deep.equal({ runs: 1, failures: 0 });
  });

  it('are the same ones for whoever asks for those of the process', () => {
    expect(globalBackgroundTasks()).to.equal(globalBackgroundTasks());
  });
});

function assertNever(): never {
  throw new Error('at once');
}
