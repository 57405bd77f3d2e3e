import { logs, ROOT_CONTEXT, SeverityNumber, trace } from '@opentelemetry/api';
import type { LogRecord } from '../../logging/index.ts';
import { LOG_SCOPE } from '../scopes.ts';

const SEVERITIES = {
  DEBUG: SeverityNumber.DEBUG,
  INFO: SeverityNumber.INFO,
  WARNING: SeverityNumber.WARN,
  ERROR: SeverityNumber.ERROR,
} as const;

/** Sends a log line as an OTLP log record: the same fields, correlated by the trace context of the call. */
export function exportLogRecord(record: LogRecord): void {
  const { traceId, spanId, traceFlags, exception, site } = record;
  const context =
    traceId === undefined || spanId === undefined
      ? ROOT_CONTEXT
      : trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags });
  logs.getLogger(LOG_SCOPE.name).emit({
    timestamp: record.timeMs,
    severityNumber: SEVERITIES[record.level],
    severityText: record.level,
    body: record.message,
    context,
    attributes: {
      logger: record.logger,
      'code.file.path': site.module,
      'code.function.name': site.function,
      'code.line.number': site.line,
      ...(record.requestId === undefined ? {} : { request_id: record.requestId }),
      ...(record.userId === undefined ? {} : { user_id: record.userId }),
      ...(record.jobName === undefined ? {} : { job_name: record.jobName }),
      ...(record.extra === undefined ? {} : { extra: record.extra as never }),
      ...(exception === undefined
        ? {}
        : {
            'exception.type': exception.type,
            'exception.message': exception.message,
            ...(exception.stack === undefined ? {} : { 'exception.stacktrace': exception.stack }),
            ...(exception.causes.length === 0 ? {} : { 'exception.causes': exception.causes as never }),
          }),
    },
  });
}
