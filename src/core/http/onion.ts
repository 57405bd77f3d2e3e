import type Koa from 'koa';
import type { Settings } from '../config/index.ts';
import type { AccessEntry } from '../logging/index.ts';
import type { RateLimiter } from '../security/limits/rate-limiter.ts';
import { createProxyTrust } from './client-address.ts';
import { cors } from './cors.ts';
import { deadline } from './deadline.ts';
import { device } from './device.ts';
import { errorEnvelope, handleLateErrors } from './error-envelope.ts';
import { generalLimit } from './general-limit.ts';
import { overload } from './overload.ts';
import { requestId } from './request-id.ts';
import type { RunningRequests } from './running-requests.ts';
import { securityHeaders } from './security-headers.ts';
import { asKoa, type Middleware } from './state.ts';
import { telemetry } from './telemetry.ts';

export type OnionOptions = {
  settings: Settings;
  writeAccess: (entry: AccessEntry) => void;
  /** Whether the event loop has been late for a while. */
  isLoopLate: () => boolean;
  limiter: RateLimiter;
  /** Filled with the requests under way, where somebody wants to look at them. */
  running?: RunningRequests;
};

/**
 * The layers that every request goes through, outermost first; the router stands inside them.
 *
 * Request id, security headers and CORS stand outside of everything that can refuse, so that refusals and preflights
 * have them too; the envelope stands outside of those, so that whatever fails in them is answered as any error is.
 */
export const ONION: readonly { name: string; create: (options: OnionOptions) => Middleware }[] = [
  {
    name: 'telemetry',
    create: ({ settings, writeAccess }) =>
      telemetry({
        traceContext: settings.traceContext,
        traceUserId: settings.traceUserId,
        proxyTrust: createProxyTrust(settings.trustProxy),
        ...(settings.accessLog ? { writeAccess } : {}),
      }),
  },
  { name: 'errorEnvelope', create: errorEnvelope },
  { name: 'requestId', create: requestId },
  { name: 'securityHeaders', create: securityHeaders },
  { name: 'cors', create: ({ settings }) => cors(settings) },
  { name: 'device', create: device },
  {
    name: 'overload',
    create: ({ settings, isLoopLate }) => overload({ maxInFlight: settings.maxInFlight, isLoopLate }),
  },
  { name: 'deadline', create: ({ settings, running }) => deadline(settings.requestTimeoutMs, running) },
  {
    name: 'generalLimit',
    create: ({ settings, limiter }) => generalLimit({ limiter, max: settings.rateLimitGeneral }),
  },
];

/** Stacks the onion on `app`, and takes the errors that come after it. */
export function addMiddlewares(app: Koa, options: OnionOptions): void {
  for (const { create } of ONION) app.use(asKoa(create(options)));
  handleLateErrors(app);
}
