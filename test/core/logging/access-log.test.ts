import { expect } from 'chai';
import { type AccessEntry, createAccessLog, type LogRecord, stopLogger } from '../../../src/core/logging/index.ts';
import { linesOf, removeTemporaryDirectories, SERVICE, start } from './harness.ts';

const ENTRY: AccessEntry = {
  requestId: 'req-1',
  userId: 'user-1',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: 1,
  method: 'GET',
  route: '/api/users/me',
  status: 200,
  durationMs: 1.23456,
  bytes: 312,
  userAgent: 'curl/8.5.0',
  ip: '127.0.0.1',
  postgresStatements: 1,
  postgresMs: 0.5,
  mongoCommands: 2,
  mongoMs: 12,
  poolWaitMs: 0.0101,
  hashQueueMs: 0,
};

describe('the access line', () => {
  afterEach(() => stopLogger());
  after(removeTemporaryDirectories);

  it('is one line with everything the request was and spent', async () => {
    const { directory } = start();
    const log = createAccessLog(() => Date.UTC(2030, 0, 2, 3, 4, 5, 67));
    log(ENTRY);
    await stopLogger();
    expect(linesOf(directory, 'app.json')).to.deep.equal([
      {
        timestamp: '2030-01-02T03:04:05.067Z',
        level: 'INFO',
        message: 'GET /api/users/me 200 1.2 ms',
        logger: 'app.http.access',
        module: 'test/core/logging/access-log.test.ts',
        function: '<anonymous>',
        line: linesOf(directory, 'app.json')[0]?.line,
        service: SERVICE,
        request_id: 'req-1',
        user_id: 'user-1',
        trace_id: ENTRY.traceId,
        span_id: ENTRY.spanId,
        trace_flags: '01',
        extra: {
          method: 'GET',
          route: '/api/users/me',
          status: 200,
          duration_ms: 1.235,
          bytes: 312,
          user_agent: 'curl/8.5.0',
          ip: '127.0.0.1',
          postgres_statements: 1,
          postgres_ms: 0.5,
          mongo_commands: 2,
          mongo_ms: 12,
          pool_wait_ms: 0.01,
          hash_queue_ms: 0,
        },
      },
    ]);
  });

  it('hands a sink the same that it writes', async () => {
    const records: LogRecord[] = [];
    const { directory } = start({ sink: (record) => records.push(record) });
    createAccessLog()({ ...ENTRY, userAgent: undefined, hashQueueMs: 31.5 });
    await stopLogger();
    const [line] = linesOf(directory, 'app.json');
    expect(records[0]?.extra).to.deep.equal(line?.extra);
    expect(records[0]?.message).to.equal(line?.message);
    expect(line?.extra).to.not.have.property('user_agent');
  });

  it('of a 5xx is an ERROR in app.json only; of a probe it is DEBUG', async () => {
    const { directory, console } = start();
    const log = createAccessLog();
    log({ ...ENTRY, status: 500 });
    log({ ...ENTRY, route: '/health/live', debug: true });
    log({ ...ENTRY, route: '/health/ready', status: 503, debug: true });
    await stopLogger();
    expect(linesOf(directory, 'app.json').map((line) => line.level)).to.deep.equal(['ERROR']);
    expect(linesOf(directory, 'error.json')).to.deep.equal([]);
    expect(console.lines.map((line) => line.level)).to.deep.equal(['ERROR', 'DEBUG', 'DEBUG']);
  });

  it('of shed requests is written ten times a second, and the next line counts the others', async () => {
    const { directory } = start();
    let now = 1_700_000_000_000;
    const log = createAccessLog(() => now);
    for (let n = 0; n < 500; n++) log({ ...ENTRY, status: 503, shed: true });
    now += 1_000;
    log(ENTRY);
    log(ENTRY);
    await stopLogger();
    const lines = linesOf(directory, 'app.json');
    expect(lines.map((line) => line.level)).to.deep.equal([...Array(10).fill('WARNING'), 'INFO', 'INFO']);
    expect(lines[10]?.extra).to.include({ shed_not_logged: 490 });
    expect(lines[11]?.extra).to.not.have.property('shed_not_logged');
  });

  it('shows nothing that a client forged or should not have sent', async () => {
    const { directory, console } = start();
    const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl';
    createAccessLog()({
      ...ENTRY,
      requestId: token,
      method: 'G"T',
      route: '/a\n\u202e"',
      userAgent: `x\u001b[2J Bearer abc.def "${token}"`,
      ip: '1.2.3.4"\n',
    });
    await stopLogger();
    const [line] = linesOf(directory, 'app.json');
    expect(line?.['request_id']).to.equal('[redacted]');
    expect(line?.extra).to.include({ method: 'G"T', route: '/a\n\u202e"', ip: '1.2.3.4"\n' });
    expect(line?.extra['user_agent']).to.equal('x\u001b[2J Bearer [redacted] "[redacted]"');
    expect(console.text).to.not.include('\u001b').and.not.include('\u202e');
  });

  it('stays numbers whatever it is given', async () => {
    const { directory } = start();
    createAccessLog()({
      ...ENTRY,
      durationMs: Number.NaN,
      postgresMs: -1,
      mongoMs: 1e9 + 0.4,
      poolWaitMs: 59_999.9996,
    });
    await stopLogger();
    const extra = linesOf(directory, 'app.json')[0]?.extra;
    expect(extra).to.include({ duration_ms: 0, postgres_ms: 0, mongo_ms: 1e9, pool_wait_ms: 60_000 });
  });
});
