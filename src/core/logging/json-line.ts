import { REDACTION_LIMITS } from './bounded-copy.ts';
import { quote, toJson } from './escape.ts';
import type { ErrorSummary, LogRecord } from './record.ts';
import { redact } from './redaction.ts';
import { cut } from './secret-shapes.ts';
import { isoTimestamp } from './timestamp.ts';

/** The longest line, in bytes without its newline. */
export const LINE_LIMIT = 65_535;

const MESSAGE_LIMIT = 8_192;
const SHRINK_BY = [1, 8, 64] as const;

function shortenError<T extends ErrorSummary>(error: T, limit: number): T {
  const message = cut(error.message, limit);
  return error.stack === undefined ? { ...error, message } : { ...error, message, stack: cut(error.stack, limit) };
}

/** The same record with every bound divided by `by`. */
function shrink(record: LogRecord, by: number): LogRecord {
  const limits = { ...REDACTION_LIMITS, text: REDACTION_LIMITS.text / by, allText: REDACTION_LIMITS.allText / by };
  const { exception, extra } = record;
  const textLimit = limits.text / 2;
  return {
    ...record,
    message: cut(record.message, MESSAGE_LIMIT / by),
    extra: extra && (redact(extra, limits) as Record<string, unknown>),
    exception: exception && {
      ...shortenError(exception, textLimit),
      causes: exception.causes.map((cause) => shortenError(cause, textLimit / 8)),
    },
  };
}

function compose(record: LogRecord, serviceJson: string): string {
  let line = `{"timestamp":"${isoTimestamp(record.timeMs)}","level":"${record.level}","message":`;
  line += `${quote(record.message)},"logger":${quote(record.logger)}${record.site.json},"service":${serviceJson}`;
  if (record.requestId !== undefined) line += `,"request_id":${quote(record.requestId)}`;
  if (record.userId !== undefined) line += `,"user_id":${quote(record.userId)}`;
  if (record.jobName !== undefined) line += `,"job_name":${quote(record.jobName)}`;
  if (record.traceId !== undefined && record.spanId !== undefined) {
    line += traceFields(record.traceId, record.spanId, record.traceFlags);
  }
  if (record.extra !== undefined) line += `,"extra":${toJson(record.extra)}`;
  if (record.exception !== undefined) line += `,"exception":${toJson(record.exception)}`;
  return `${line}}`;
}

/** The fields that join a line to its span; flags as two hex digits, like in `traceparent` (W3C Trace Context §3.2). */
export function traceFields(traceId: string, spanId: string, flags: number): string {
  const head = `,"trace_id":"${traceId}","span_id":"${spanId}","trace_flags":"`;
  return flags === 1 ? `${head}01"` : `${head}${flags < 16 ? '0' : ''}${flags.toString(16)}"`;
}

/** The record as one line of JSON without its newline, at most {@link LINE_LIMIT} bytes: what is too long is cut. */
export function jsonLine(record: LogRecord, serviceJson: string): string {
  let line = '';
  for (const by of SHRINK_BY) {
    line = compose(by === 1 ? record : shrink(record, by), serviceJson);
    if (line.length * 3 <= LINE_LIMIT || Buffer.byteLength(line) <= LINE_LIMIT) break;
  }
  return line;
}
