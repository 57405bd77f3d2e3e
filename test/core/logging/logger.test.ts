import { context, trace } from '@opentelemetry/api';
import { expect } from 'chai';
import { Carrier, contextWith } from '../../../src/core/context.ts';
import { getLogger, type LogRecord, stopLogger } from '../../../src/core/logging/index.ts';
import { type Line, linesOf, removeTemporaryDirectories, SERVICE, start } from './harness.ts';

const log = getLogger('app.test.logger');

function first(lines: Line[]): Line {
  const [line] = lines;
  if (line === undefined) throw new Error('No line was written');
  return line;
}

async function written(write: () => void): Promise<Line> {
  const { console } = start({ files: false });
  write();
  await stopLogger();
  return first(console.lines);
}

describe('a logger', () => {
  after(removeTemporaryDirectories);
  afterEach(() => stopLogger());

  it('writes the fields that are always there, and no others', async () => {
    const line = await written(() => log.info('signed in'));
    expect(Object.keys(line)).to.have.members('timestamp level message logger module function line service'.split(' '));
    expect(line.timestamp).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Math.abs(Date.parse(line.timestamp) - Date.now())).to.be.below(5_000);
    expect(line).to.include({ level: 'INFO', message: 'signed in', logger: 'app.test.logger' });
    expect(line['service']).to.deep.equal(SERVICE);
  });

  it('names the call site in the TypeScript source, relative to the project', async () => {
    const line = await written(function signIn() {
      log.info('here');
    });
    expect(line).to.include({ module: 'test/core/logging/logger.test.ts', function: 'signIn' });
    const here = Number(/logger\.test\.ts:(\d+)/.exec(new Error().stack ?? '')?.[1]);
    expect(line.line).to.equal(here - 3);
  });

  it('sends INFO and above to app.json, ERROR to error.json, and what the level says to the console', async () => {
    const { directory, console } = start({ level: 'WARNING' });
    log.debug('d');
    log.info('i');
    log.warning('w');
    log.error('e');
    await stopLogger();
    const messages = (lines: Line[]): string => lines.map((line) => line.message).join('');
    expect(messages(linesOf(directory, 'app.json'))).to.equal('iwe');
    expect(messages(linesOf(directory, 'error.json'))).to.equal('e');
    expect(messages(console.lines)).to.equal('we');
  });

  it('takes request, user, job and span when the call is made, not when the line is written', async () => {
    const carrier = new Carrier();
    Object.assign(carrier, { requestId: 'req-1', userId: 'user-1', jobName: 'sweep' });
    const span = trace.wrapSpanContext({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 1,
    });
    const line = await written(() => {
      context.with(contextWith(carrier, span), () => log.info('inside'));
      carrier.userId = 'somebody else';
    });
    expect(line).to.include({ request_id: 'req-1', user_id: 'user-1', job_name: 'sweep' });
    expect(line).to.include({
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      span_id: 'b7ad6b7169203331',
      trace_flags: '01',
    });
  });

  it('puts an error and its causes under exception, with extra beside it', async () => {
    const root = new RangeError('root');
    const error = new TypeError('outer', {
      cause: new AggregateError([root, 'thrown text'], 'middle', { cause: root }),
    });
    const line = await written(() => log.exception('failed', error, { attempt: 2 }));
    expect(line).to.include({ level: 'ERROR', message: 'failed' });
    expect(line.extra).to.deep.equal({ attempt: 2 });
    expect(line.exception).to.include({ type: 'TypeError', message: 'outer' });
    expect(line.exception.stack).to.match(/^TypeError: outer\n {4}at /);
    expect(line.exception.causes.map(({ type, message }) => `${type}: ${message}`)).to.deep.equal([
      'AggregateError: middle',
      'RangeError: root',
      'string: thrown text',
    ]);
  });

  it('finds the error that is passed as extra or in it', async () => {
    const asExtra = await written(() => log.warning('w', new Error('one')));
    const inExtra = await written(() => log.error('e', { step: 3, error: new Error('two') }));
    expect(asExtra.exception.message).to.equal('one');
    expect(inExtra.exception.message).to.equal('two');
    expect(inExtra.extra).to.deep.equal({ step: 3 });
  });

  it('survives causes that go in circles and things thrown that are no errors', async () => {
    const circular = new Error('round');
    circular.cause = circular;
    const [text, nothing, object] = await Promise.resolve(['text', undefined, { code: 7, token: 'abc' }]);
    expect((await written(() => log.exception('c', circular))).exception.causes).to.deep.equal([]);
    expect((await written(() => log.exception('c', text))).exception).to.include({ type: 'string', message: 'text' });
    expect((await written(() => log.exception('c', nothing))).exception).to.include({ type: 'undefined' });
    expect((await written(() => log.exception('c', object))).extra).to.deep.equal({
      thrown: { code: 7, token: '[redacted]' },
    });
  });

  it('carries the extra of its parents, and what a line says wins', async () => {
    const child = log.child({ job: 'mail', attempt: 1 }).child({ to: 'x' });
    expect((await written(() => child.info('m', { attempt: 2 }))).extra).to.deep.equal({
      job: 'mail',
      attempt: 2,
      to: 'x',
    });
  });

  it('hands a sink the redacted record', async () => {
    const records: LogRecord[] = [];
    start({ sink: (record) => records.push(record) });
    log.warning('sent', { password: 'hunter2', n: 1 });
    await stopLogger();
    expect(records).to.have.length(1);
    expect(records[0]).to.deep.include({ message: 'sent', level: 'WARNING', extra: { password: '[redacted]', n: 1 } });
  });

  it('shows a person one readable line, and no control character of a stranger', async () => {
    const { console } = start({ consoleFormat: 'readable', files: false });
    log.info('hello\n12:00:00.000 INFO forged \u001b[31m\u202e\u009b', { attempt: 2 });
    log.exception('bad', new Error('line one\n12:00:00.000 INFO forged'));
    await stopLogger();
    const lines = console.text.split('\n');
    expect(lines[0]).to.match(/^\d\d:\d\d:\d\d\.\d{3} INFO {4}app\.test\.logger hello\\u000a12:00/);
    expect(lines[0]).to.include('\\u001b[31m\\u202e\\u009b {"attempt":2}');
    expect(lines.filter((line) => /^\S/.test(line))).to.have.length(2);
    expect(lines[2]).to.equal('    Error: line one');
    expect(lines[3]).to.equal('    12:00:00.000 INFO forged');
  });
});
