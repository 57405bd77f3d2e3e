import { context, isSpanContextValid, trace } from '@opentelemetry/api';
import { currentCarrier } from '../context.ts';
import { callSiteOf } from './call-site.ts';
import { asExtra, type Content, contentOf, type Values } from './content.ts';
import { emit, wants } from './hub.ts';
import { type LevelName, RANK } from './levels.ts';
import type { CallSite, LogRecord } from './record.ts';
import { redact, redactMessage } from './redaction.ts';
import { untrusted } from './text-cache.ts';

/** What a line says besides its message. An error in it, or in its place, fills the line's `exception`. */
export type Extra = Readonly<Record<string, unknown>> | Error;

/**
 * A named logger. No method throws, waits or keeps a reference to what it is given: when a call returns, the line is
 * text. Its methods may be passed around without it.
 */
export interface Logger {
  /** For the console only, when it shows DEBUG; costs next to nothing when it does not. */
  debug(message: string, extra?: Extra): void;
  info(message: string, extra?: Extra): void;
  warning(message: string, extra?: Extra): void;
  error(message: string, extra?: Extra): void;
  /** ERROR with the type, message, stack and causes of whatever was thrown. */
  exception(message: string, error: unknown, extra?: Extra): void;
  /** The same logger with `extra` on every line; what a line itself says wins. */
  child(extra: Readonly<Record<string, unknown>>): Logger;
}

const MESSAGE_LIMIT = 8_192;
const NAME_LIMIT = 200;
const ID_LIMIT = 128;

type Callee = (...args: never[]) => unknown;

function recordOf(level: LevelName, logger: string, message: unknown, content: Content, site: CallSite): LogRecord {
  const carrier = currentCarrier();
  const span = trace.getSpan(context.active())?.spanContext();
  const valid = span !== undefined && isSpanContextValid(span);
  return {
    timeMs: Date.now(),
    level,
    message: redactMessage(message, MESSAGE_LIMIT),
    logger,
    site,
    requestId: carrier?.requestId && untrusted(carrier.requestId, ID_LIMIT),
    userId: carrier?.userId,
    jobName: carrier?.jobName,
    traceId: valid ? span.traceId : undefined,
    spanId: valid ? span.spanId : undefined,
    traceFlags: valid ? span.traceFlags : 0,
    ...content,
  };
}

function makeLogger(name: string, bound: Values | undefined): Logger {
  function write(
    level: LevelName,
    message: unknown,
    extra: unknown,
    callee: Callee,
    thrown?: { error: unknown },
  ): void {
    if (!wants(RANK[level], name)) return;
    emit(recordOf(level, name, message, contentOf(bound, extra, thrown), callSiteOf(callee)));
  }
  const debug = (message: string, extra?: Extra): void => write('DEBUG', message, extra, debug);
  const info = (message: string, extra?: Extra): void => write('INFO', message, extra, info);
  const warning = (message: string, extra?: Extra): void => write('WARNING', message, extra, warning);
  const error = (message: string, extra?: Extra): void => write('ERROR', message, extra, error);
  const exception = (message: string, thrown: unknown, extra?: Extra): void =>
    write('ERROR', message, extra, exception, { error: thrown });
  const child = (extra: Readonly<Values>): Logger => makeLogger(name, { ...bound, ...asExtra(redact(extra)) });
  return { debug, info, warning, error, exception, child };
}

/** The logger of one part of the service, by the name that its lines carry: `app.<domain>.<layer>`. */
export function getLogger(name: string): Logger {
  return makeLogger(name.slice(0, NAME_LIMIT), undefined);
}
