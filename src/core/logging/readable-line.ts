import { printable, toJson } from './escape.ts';
import type { LevelName } from './levels.ts';
import type { ErrorSummary, LogRecord } from './record.ts';
import { isoTimestamp } from './timestamp.ts';

const COLOUR: Readonly<Record<LevelName, string>> = {
  DEBUG: '\u001b[36m',
  INFO: '\u001b[32m',
  WARNING: '\u001b[33m',
  ERROR: '\u001b[31m',
};
const DIM = '\u001b[2m';
const PLAIN = '\u001b[0m';

/** Further lines are indented, so that a newline in an error's message cannot pass for a line of its own. */
function errorLines(error: ErrorSummary, title: string): string {
  const text = error.stack ?? `${error.type}: ${error.message}`;
  return text
    .split('\n')
    .map((line, index) => `\n    ${index === 0 ? title : ''}${printable(line)}`)
    .join('');
}

/** The record for a person at a terminal: `12:31:05.123 INFO  app.auth.service signed in request_id=… {"attempt":2}`, UTC. */
export function readableLine(record: LogRecord, colours: boolean): string {
  const time = isoTimestamp(record.timeMs).slice(11, 23);
  const level = record.level.padEnd(7);
  const logger = printable(record.logger);
  let line = colours
    ? `${DIM}${time}${PLAIN} ${COLOUR[record.level]}${level}${PLAIN} ${DIM}${logger}${PLAIN} `
    : `${time} ${level} ${logger} `;
  line += printable(record.message);
  if (colours) line += DIM;
  if (record.requestId !== undefined) line += ` request_id=${printable(record.requestId)}`;
  if (record.userId !== undefined) line += ` user_id=${printable(record.userId)}`;
  if (record.jobName !== undefined) line += ` job_name=${printable(record.jobName)}`;
  if (record.extra !== undefined) line += ` ${toJson(record.extra)}`;
  if (colours) line += PLAIN;
  if (record.exception !== undefined) {
    line += errorLines(record.exception, '');
    for (const cause of record.exception.causes) line += errorLines(cause, 'caused by: ');
  }
  return line;
}
