import { join } from 'node:path';
import { ROOT_CONTEXT, SeverityNumber, trace } from '@opentelemetry/api';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  type ReadableLogRecord,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import { expect } from 'chai';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { writeLogRecord } from '../../../../src/core/telemetry/logs/encode-log.ts';
import { ProtobufWriter } from '../../../../src/core/telemetry/otlp/protobuf-writer.ts';

describe('log records as bytes', () => {
  const exporter = new InMemoryLogRecordExporter();
  const logger = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] }).getLogger('test');
  let ScopeLogs: protobuf.Type;
  let LogsRequest: protobuf.Type;

  before(async () => {
    const root = await protobuf.load(join(import.meta.dirname, '..', '..', '..', 'support', 'otlp.proto'));
    ScopeLogs = root.lookupType('ScopeLogs');
    LogsRequest = root.lookupType('LogsRequest');
  });

  function ours(record: ReadableLogRecord) {
    const writer = new ProtobufWriter(64);
    writeLogRecord(writer, record);
    return ScopeLogs.decode(writer.take()).toJSON()['logRecords'][0];
  }

  /** The record as the SDK's own serializer writes it. */
  function theirs(record: ReadableLogRecord) {
    const bytes = ProtobufLogsSerializer.serializeRequest([record]) ?? new Uint8Array();
    return LogsRequest.decode(bytes).toJSON()['resourceLogs'][0].scopeLogs[0].logRecords[0];
  }

  it('say what the SDK would say', () => {
    const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.double({ noNaN: true }), fc.boolean(), fc.integer());
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        value,
        fc.constant(null),
        fc.array(tie('tree')),
        fc.dictionary(fc.string(), tie('tree')),
      ),
    }));
    const spanContext = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), tree, fc.boolean(), (body, extra, isTraced) => {
        exporter.reset();
        const context = isTraced ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : ROOT_CONTEXT;
        const attributes = { logger: 'app.test', 'code.line.number': 7, extra: { extra } as never };
        logger.emit({
          timestamp: 1_700_000_000_123,
          severityNumber: SeverityNumber.WARN,
          severityText: 'WARNING',
          body,
          context,
          attributes,
        });
        const [record] = exporter.getFinishedLogRecords();
        if (record === undefined) throw new Error('No record');
        // A count of zero is written there, and left out here: they mean the same.
        expect(ours(record)).to.deep.equal(theirs(record));
      }),
      { numRuns: 200 },
    );
  });
});
