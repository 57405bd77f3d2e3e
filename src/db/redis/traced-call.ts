import { REDIS_SCOPE } from '../../core/telemetry/scopes.ts';
import { type ClientSpanFailure, ClientSpanShape } from '../../core/telemetry/spans/client-span.ts';
import { inClientSpan } from '../../core/telemetry/spans/tracing.ts';

/** Where commands go. */
export type RedisServer = { host?: string | undefined; port?: number | undefined; db?: number | undefined };

/** Runs `call`, which calls a script, and rejects with its error. */
export type TracedCall = <T>(script: string, call: () => Promise<T>) => Promise<T>;

/**
 * Puts each call of a script under a span of the request that makes it (semantic conventions for Redis, stable): which
 * script, of which server, and how it failed. Neither keys nor arguments, which name callers, nor what the server said.
 */
export function tracedCalls({ host = 'localhost', port = 6379, db = 0 }: RedisServer): TracedCall {
  const shapes = new Map<string, ClientSpanShape>();

  function shapeOf(script: string): ClientSpanShape {
    const known = shapes.get(script);
    if (known !== undefined) return known;
    const shape = new ClientSpanShape(REDIS_SCOPE, `EVALSHA ${script}`, {
      'db.system.name': 'redis',
      'db.namespace': String(db),
      'db.operation.name': 'EVALSHA',
      'db.stored_procedure.name': script,
      'server.address': host,
      'server.port': port,
    });
    shapes.set(script, shape);
    return shape;
  }

  return (script, call) => inClientSpan(shapeOf(script), call, failureOf);
}

function failureOf(error: unknown): ClientSpanFailure {
  const type = errorTypeOf(error);
  return { type, message: `Redis did not answer: ${type}` };
}

const ERROR_PREFIX = /^[A-Z]{2,32}(?= )/;

/** What an error of the server begins with (`OOM`, `READONLY`), or the system's code, else the name of the error. */
function errorTypeOf(error: unknown): string {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  const prefix = name === 'ReplyError' ? ERROR_PREFIX.exec(String(message))?.[0] : undefined;
  return prefix ?? (typeof code === 'string' ? code : typeof name === 'string' ? name : 'Error');
}
