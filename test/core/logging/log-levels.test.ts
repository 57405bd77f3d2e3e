import { mock } from 'node:test';
import { expect } from 'chai';
import { createAccessLog, getLogger, type LogRecord, logLevels, stopLogger } from '../../../src/core/logging/index.ts';
import { type Line, linesOf, removeTemporaryDirectories, start } from './harness.ts';

describe('the level of a logger that was set at run time', () => {
  beforeEach(() => stopLogger());
  afterEach(async () => {
    for (const { key } of logLevels.list()) logLevels.remove(key);
    await stopLogger();
  });
  after(removeTemporaryDirectories);

  const messages = (lines: readonly Line[]) => lines.map(({ message }) => message);

  it('holds for it and those below it, in the console, the file and the export', async () => {
    const exported: LogRecord[] = [];
    const { directory, console } = start({ level: 'INFO', sink: (record) => exported.push(record) });
    logLevels.set('app.auth', 'DEBUG', 60);
    for (const name of ['app.auth', 'app.auth.service', 'app.authors', 'app', 'app.http']) getLogger(name).debug(name);
    await stopLogger();
    const wanted = ['app.auth', 'app.auth.service'];
    expect(messages(console.lines)).to.deep.equal(wanted);
    expect(messages(linesOf(directory, 'app.json'))).to.deep.equal(wanted);
    expect(exported.map(({ message }) => message)).to.deep.equal(wanted);
    expect(linesOf(directory, 'error.json')).to.deep.equal([]);
  });

  it('keeps what is below it from every destination', async () => {
    const { directory, console } = start({ level: 'DEBUG' });
    logLevels.set('app.noisy', 'ERROR', 60);
    for (const name of ['app.noisy.poll', 'app.quiet']) {
      getLogger(name).info(`${name} info`);
      getLogger(name).error(`${name} error`);
    }
    await stopLogger();
    const wanted = ['app.noisy.poll error', 'app.quiet info', 'app.quiet error'];
    expect(messages(console.lines)).to.deep.equal(wanted);
    expect(messages(linesOf(directory, 'app.json'))).to.deep.equal(wanted);
  });

  it('is that of the nearest name', async () => {
    const { console } = start({ level: 'INFO' });
    logLevels.set('app', 'DEBUG', 60);
    logLevels.set('app.db', 'WARNING', 60);
    for (const name of ['app.db.postgres', 'app.auth']) getLogger(name).debug(name);
    getLogger('app.db').warning('a warning');
    await stopLogger();
    expect(messages(console.lines)).to.deep.equal(['app.auth', 'a warning']);
  });

  it('shows the probes, whose access lines are DEBUG', async () => {
    const { console } = start({ level: 'INFO', consoleFormat: 'readable', files: false });
    const probe = { method: 'GET', route: '/health/ready', status: 200, durationMs: 1, bytes: 2, debug: true };
    const spent = { postgresStatements: 0, postgresMs: 0, mongoCommands: 0, mongoMs: 0, poolWaitMs: 0, hashQueueMs: 0 };
    const ids = { requestId: 'a', userId: undefined, traceId: undefined, spanId: undefined, traceFlags: 0 };
    const write = createAccessLog();
    const entry = { ...probe, ...spent, ...ids, userAgent: undefined, ip: undefined };
    write(entry);
    logLevels.set('app.http.access', 'DEBUG', 60);
    write(entry);
    await stopLogger();
    expect(console.text.match(/GET \/health\/ready 200/g)).to.have.length(1);
  });

  it('goes back by itself when its time is over, and not before', async () => {
    const { console } = start({ level: 'INFO' });
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.parse('2026-01-01T00:00:00Z') });
    try {
      const set = logLevels.set('app.auth', 'DEBUG', 300);
      expect(set?.expiresAt.toISOString()).to.equal('2026-01-01T00:05:00.000Z');
      mock.timers.tick(299_999);
      getLogger('app.auth').debug('before');
      mock.timers.tick(1);
      expect(logLevels.overrides, 'nothing is asked any more').to.equal(undefined);
      getLogger('app.auth').debug('after');
    } finally {
      mock.timers.reset();
    }
    await stopLogger();
    expect(messages(console.lines)).to.deep.equal(['before']);
  });

  it('lasts as long as was said last, and can be ended before', async () => {
    const { console } = start({ level: 'INFO' });
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    try {
      logLevels.set('app.auth', 'DEBUG', 10);
      logLevels.set('app.auth', 'DEBUG', 60);
      mock.timers.tick(30_000);
      getLogger('app.auth').debug('longer');
      expect(logLevels.remove('app.auth')).to.equal(true);
      expect(logLevels.remove('app.auth')).to.equal(false);
      getLogger('app.auth').debug('ended');
    } finally {
      mock.timers.reset();
    }
    await stopLogger();
    expect(messages(console.lines)).to.deep.equal(['longer']);
  });

  it('is set for no more than fifty loggers', () => {
    for (let n = 0; n < 50; n++) expect(logLevels.set(`app.n${n}`, 'DEBUG', 60)).to.include({ value: 'DEBUG' });
    expect(logLevels.set('app.one-more', 'DEBUG', 60)).to.equal(undefined);
    expect(logLevels.set('app.n7', 'ERROR', 60), 'one that is there').to.include({ value: 'ERROR' });
  });
});
