import { logs } from '@opentelemetry/api';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { expect } from 'chai';
import { getLogger, stopLogger } from '../../../../src/core/logging/index.ts';
import { exportLogRecord } from '../../../../src/core/telemetry/logs/log-export.ts';
import { start } from '../../logging/harness.ts';

describe('a log line sent by OTLP', () => {
  const exporter = new InMemoryLogRecordExporter();

  before(async () => {
    await stopLogger();
    logs.setGlobalLoggerProvider(new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] }));
  });
  after(() => logs.disable());

  it('has the fields of the line in the file, an error with its causes too', async () => {
    const { console } = start({ files: false, sink: exportLogRecord });
    const cause = new RangeError('root', { cause: 'thrown text' });
    getLogger('app.test.export').exception('failed', new TypeError('outer', { cause }), { attempt: [1, { of: 2 }] });
    await stopLogger();
    const [line] = console.lines;
    const [record] = exporter.getFinishedLogRecords();
    expect(record?.body).to.equal('failed');
    expect(record?.severityText).to.equal('ERROR');
    expect(record?.attributes).to.deep.equal({
      logger: 'app.test.export',
      'code.file.path': line?.module,
      'code.function.name': line?.function,
      'code.line.number': line?.line,
      extra: { attempt: [1, { of: 2 }] },
      'exception.type': 'TypeError',
      'exception.message': 'outer',
      'exception.stacktrace': line?.exception.stack,
      'exception.causes': line?.exception.causes,
    });
  });
});
