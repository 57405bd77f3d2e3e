import { writeSync } from 'node:fs';
import { flushOnCrash, getLogger, loggingStats, startLogging, stopLogger } from '../../../src/core/logging/index.ts';
import { SERVICE } from './harness.ts';

/* A process to be ended in many ways: `child.ts <mode> <directory> <lines>`. Says what it has to say on stdout as JSON. */

const [mode, dir = '', count = '0'] = process.argv.slice(2);
const log = getLogger('app.test.child');
const options = { level: 'INFO', dir, files: true, consoleFormat: 'json', colors: false, service: SERVICE } as const;

function logLines(): void {
  for (let n = 0; n < Number(count); n++) log.info('line', { n });
}

function say(message: Record<string, unknown>): void {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

async function stopAndSay(): Promise<void> {
  const from = performance.now();
  await stopLogger();
  say({ stopMs: performance.now() - from, stats: loggingStats() });
}

process.on('uncaughtException', (error) => void flushOnCrash(error, 'uncaughtException').then(() => process.exit(1)));
process.on('unhandledRejection', (error) => void flushOnCrash(error, 'unhandledRejection').then(() => process.exit(1)));
process.on('SIGTERM', () => void stopAndSay().then(() => process.exit(0)));

const modes: Record<string, () => void | Promise<void>> = {
  signal() {
    startLogging({ ...options, level: 'ERROR' });
    logLines();
    say({ ready: true });
    setInterval(() => undefined, 1_000);
  },
  uncaught() {
    startLogging({ ...options, level: 'ERROR' });
    logLines();
    throw new Error('nobody catches this');
  },
  rejection() {
    startLogging({ ...options, level: 'ERROR' });
    logLines();
    void Promise.reject(new Error('nobody handles this'));
  },
  exit() {
    startLogging({ ...options, level: 'ERROR' });
    logLines();
    process.exit(3);
  },
  early() {
    for (let n = 0; n < 1_010; n++) log.info('early', { n });
    startLogging(options);
    log.info('late');
    return stopAndSay();
  },
  async neverStarted() {
    log.info('early');
    await stopLogger();
  },
  async flood() {
    startLogging({ ...options, files: false });
    let slowestMs = 0;
    for (let round = 0; round < 100; round++) {
      const from = performance.now();
      for (let n = 0; n < Number(count) / 100; n++) log.info('flood', { n, filler: 'x'.repeat(500) });
      slowestMs = Math.max(slowestMs, performance.now() - from);
      await new Promise(setImmediate);
    }
    say({ slowestMs, rssMb: process.memoryUsage().rss / 1e6 });
    await stopAndSay();
    process.exit(0);
  },
};

await modes[mode ?? '']?.();
