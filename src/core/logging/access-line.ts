import { type AccessEntry, accessLevel } from './access-entry.ts';
import { routeParts } from './access-route.ts';
import { flat } from './escape.ts';
import { traceFields } from './json-line.ts';
import { formatMs, formatTenths } from './numbers.ts';
import type { CallSite, LogRecord } from './record.ts';
import { redactText } from './secret-shapes.ts';
import { QuotedTexts, quoteUntrusted, untrusted } from './text-cache.ts';
import { isoTimestamp } from './timestamp.ts';

export const ACCESS_LOGGER = 'app.http.access';

const TEXT_LIMIT = 1_024;
const ID_LIMIT = 128;
const ADDRESS = /^[\da-f.:]{0,45}$/i;

const userAgents = new QuotedTexts(500, TEXT_LIMIT);
const addresses = new QuotedTexts(2_000, ID_LIMIT, ADDRESS);

const NOTHING_SPENT =
  ',"postgres_statements":0,"postgres_ms":0,"mongo_commands":0,"mongo_ms":0,"pool_wait_ms":0,"hash_queue_ms":0';

function suppressedNote(suppressed: number): string {
  return suppressed === 0 ? '' : ` (${suppressed} shed requests before it are not logged)`;
}

/** What stands on every access line between its message and its ids, made once. */
export function accessConstant(site: CallSite, serviceJson: string): string {
  return flat(`","logger":"${ACCESS_LOGGER}"${site.json},"service":${serviceJson}`);
}

function spent(entry: AccessEntry): string {
  const { postgresStatements, mongoCommands } = entry;
  if (postgresStatements === 0 && mongoCommands === 0 && !(entry.poolWaitMs > 0) && !(entry.hashQueueMs > 0)) {
    return NOTHING_SPENT;
  }
  let text = `,"postgres_statements":${postgresStatements},"postgres_ms":${formatMs(entry.postgresMs)}`;
  text +=
    mongoCommands === 0
      ? ',"mongo_commands":0,"mongo_ms":0,"pool_wait_ms":'
      : `,"mongo_commands":${mongoCommands},"mongo_ms":${formatMs(entry.mongoMs)},"pool_wait_ms":`;
  text += formatMs(entry.poolWaitMs);
  return entry.hashQueueMs > 0 ? `${text},"hash_queue_ms":${formatMs(entry.hashQueueMs)}` : `${text},"hash_queue_ms":0`;
}

/**
 * The access line as JSON, of as few parts as can be: joining them is most of what it costs. `suppressed` shed
 * requests before it went unlogged; `constant` is {@link accessConstant}.
 */
export function accessJson(entry: AccessEntry, timeMs: number, suppressed: number, constant: string): string {
  const { requestId, userId, traceId, spanId, userAgent, ip } = entry;
  const parts = routeParts(entry.method, entry.route, entry.status);
  let line = `{"timestamp":"${isoTimestamp(timeMs)}","level":"${accessLevel(entry)}","message":"${parts.message}`;
  line += `${formatTenths(entry.durationMs)} ms`;
  if (suppressed > 0) line += suppressedNote(suppressed);
  line += constant;
  if (requestId !== undefined) line += `,"request_id":${quoteUntrusted(requestId, ID_LIMIT)}`;
  if (userId !== undefined) line += `,"user_id":${quoteUntrusted(userId, ID_LIMIT)}`;
  if (traceId !== undefined && spanId !== undefined) line += traceFields(traceId, spanId, entry.traceFlags);
  line += `${parts.extra}${formatMs(entry.durationMs)},"bytes":${entry.bytes}`;
  if (userAgent !== undefined) line += `,"user_agent":${userAgents.get(userAgent)}`;
  if (ip !== undefined) line += `,"ip":${addresses.get(ip)}`;
  line += spent(entry);
  return suppressed === 0 ? `${line}}}` : `${line},"shed_not_logged":${suppressed}}}`;
}

/** The same line as a record, for a sink, a readable console, or one that waits for the start. */
export function accessRecord(entry: AccessEntry, timeMs: number, suppressed: number, site: CallSite): LogRecord {
  const { requestId, userId, userAgent, ip } = entry;
  const method = redactText(entry.method, ID_LIMIT);
  const route = redactText(entry.route, TEXT_LIMIT);
  const took = formatTenths(entry.durationMs);
  return {
    timeMs,
    level: accessLevel(entry),
    message: `${method} ${route} ${entry.status} ${took} ms${suppressedNote(suppressed)}`,
    logger: ACCESS_LOGGER,
    site,
    requestId: requestId && untrusted(requestId, ID_LIMIT),
    userId: userId && untrusted(userId, ID_LIMIT),
    jobName: undefined,
    traceId: entry.traceId,
    spanId: entry.spanId,
    traceFlags: entry.traceFlags,
    extra: {
      method,
      route,
      status: entry.status,
      duration_ms: Number(formatMs(entry.durationMs)),
      bytes: entry.bytes,
      ...(userAgent === undefined ? {} : { user_agent: redactText(userAgent, TEXT_LIMIT) }),
      ...(ip === undefined ? {} : { ip: redactText(ip, ID_LIMIT) }),
      postgres_statements: entry.postgresStatements,
      postgres_ms: Number(formatMs(entry.postgresMs)),
      mongo_commands: entry.mongoCommands,
      mongo_ms: Number(formatMs(entry.mongoMs)),
      pool_wait_ms: Number(formatMs(entry.poolWaitMs)),
      hash_queue_ms: Number(formatMs(entry.hashQueueMs)),
      ...(suppressed === 0 ? {} : { shed_not_logged: suppressed }),
    },
    exception: undefined,
    appFileOnly: true,
  };
}
