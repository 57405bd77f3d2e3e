import { type Context, context, createContextKey, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';

/**
 * What travels with a request or a job without being passed by hand. One mutable object per request, so that what an
 * inner layer learns (the user) is seen by the outer ones (the access line). Durations are milliseconds.
 */
export class Carrier {
  requestId: string | undefined = undefined;
  userId: string | undefined = undefined;
  jobName: string | undefined = undefined;
  postgresStatements = 0;
  postgresMs = 0;
  mongoCommands = 0;
  mongoMs = 0;
  poolWaitMs = 0;
  hashQueueMs = 0;
}

const CARRIER = createContextKey('okapi.carrier');

/** The carrier of the running request or job; `undefined` outside of both. */
export function currentCarrier(): Carrier | undefined {
  return context.active().getValue(CARRIER) as Carrier | undefined;
}

/** A context that holds `carrier` and, when given, `span`, on top of `parent`. */
export function contextWith(carrier: Carrier, span?: Span, parent: Context = ROOT_CONTEXT): Context {
  const withCarrier = parent.setValue(CARRIER, carrier);
  return span === undefined ? withCarrier : trace.setSpan(withCarrier, span);
}

/** Reads the request id of the running request, from wherever it is called. */
export const requestIdCtx = { get: (): string | undefined => currentCarrier()?.requestId };

/** Reads the id of the signed-in user of the running request, from wherever it is called. */
export const userIdCtx = { get: (): string | undefined => currentCarrier()?.userId };
