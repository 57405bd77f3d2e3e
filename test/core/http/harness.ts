import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { propagation } from '@opentelemetry/api';
import { AlwaysOnSampler, ParentBasedSampler } from '@opentelemetry/sdk-trace';
import Koa from 'koa';
import { readSettings, type Settings } from '../../../src/core/config/index.ts';
import { answerClientErrors } from '../../../src/core/http/client-error.ts';
import { CompactResponse } from '../../../src/core/http/compact-response.ts';
import { compose } from '../../../src/core/http/compose.ts';
import { BaseDTO } from '../../../src/core/http/dto.ts';
import { registerExceptionHandlers } from '../../../src/core/http/exception-handlers.ts';
import { handleOwnAnswers } from '../../../src/core/http/handle-request.ts';
import { addMiddlewares } from '../../../src/core/http/onion.ts';
import { type Route, route } from '../../../src/core/http/route.ts';
import { parametersOf } from '../../../src/core/http/route-rules.ts';
import { initiateRouters } from '../../../src/core/http/router.ts';
import type { Middleware } from '../../../src/core/http/state.ts';
import { Type } from '../../../src/core/http/type.ts';
import type { AccessEntry } from '../../../src/core/logging/index.ts';
import { RateLimiter } from '../../../src/core/security/limits/rate-limiter.ts';
import { errorCount, requestCount } from '../../../src/core/telemetry/metrics/metrics.ts';
import { propagatorsFromEnvironment } from '../../../src/core/telemetry/propagators.ts';
import type { ServerSpan } from '../../../src/core/telemetry/spans/server-span.ts';
import { setTracing } from '../../../src/core/telemetry/spans/tracing.ts';

// As the SDK sets it; before the first request, since the telemetry layer asks once for its headers.
propagation.setGlobalPropagator(propagatorsFromEnvironment({}));

/** A small application behind the whole onion, listening on loopback. */
export type TestApp = {
  readonly url: string;
  /** What the access log was handed, one for each finished request. */
  readonly access: AccessEntry[];
  close(): Promise<void>;
};

export type TestAppOptions = {
  /** Settings as environment variables. */
  env?: Record<string, string>;
  routes?: readonly Route[];
  authenticate?: Middleware;
  isLoopLate?: () => boolean;
  server?: http.ServerOptions;
  /** Of the rate limits; milliseconds that do not go back. */
  clock?: () => number;
};

export function settingsFrom(env: Record<string, string> = {}): Settings {
  return readSettings({ ENVIRONMENT: 'test', ...env });
}

/** The limiter of this process alone, as `main.ts` makes it. */
export function limiterOf(settings: Settings, clock?: () => number): RateLimiter {
  return new RateLimiter({
    enabled: settings.rateLimitEnabled,
    namesSettings: settings.environment === 'development',
    accountSecret: () => Buffer.from('only for tests'),
    ...(clock && { clock }),
  });
}

/** Serves `routes` below `/api`. */
export async function serve({
  env,
  routes = [],
  authenticate,
  isLoopLate = () => false,
  server: options = {},
  clock,
}: TestAppOptions): Promise<TestApp> {
  const settings = settingsFrom(env);
  const access: AccessEntry[] = [];
  const writeAccess = (entry: AccessEntry) => {
    access.push(entry);
  };
  const app = new Koa({ compose } as object);
  handleOwnAnswers(app);
  registerExceptionHandlers(app);
  const limiter = limiterOf(settings, clock);
  addMiddlewares(app, { settings, writeAccess, isLoopLate, limiter });
  const refuseAll: Middleware = async () => {
    throw new Error('This application signs nobody in');
  };
  const tools = { bodyLimit: settings.bodyLimit, authenticate: authenticate ?? refuseAll, limiter };
  initiateRouters(app, { root: [], api: routes }, tools);
  const server = http.createServer({ ServerResponse: CompactResponse, ...options }, app.callback());
  server.on('clientError', answerClientErrors(writeAccess));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    access,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** What a route answers with in which only something else matters. */
export const ANYTHING = { 200: { description: 'Whatever it is', schema: Type.Unknown() } };

/** A route whose handler is all that matters; its parameters are any text. */
export function get(path: string, handler: Route['handler']): Route {
  const params = BaseDTO(Object.fromEntries(parametersOf(path).map((name) => [name, Type.String()])));
  return route({ method: 'get', path, summary: path, params, responses: ANYTHING, handler });
}

/** How often an error of this endpoint was counted, by class name. */
export function errorsOf(endpoint: string): Record<string, number> {
  const mine = [...errorCount.series()].filter(({ labels }) => labels['endpoint'] === endpoint);
  return Object.fromEntries(mine.map(({ labels, value }) => [labels['exception_type'], value]));
}

/** How often requests of this endpoint were counted, by method and status. */
export function requestsOf(endpoint: string): Record<string, number> {
  const mine = [...requestCount.series()].filter(({ labels }) => labels['endpoint'] === endpoint);
  return Object.fromEntries(mine.map(({ labels, value }) => [`${labels['method']} ${labels['status']}`, value]));
}

/** Samples every request from now on, unless its caller says otherwise; what is collected are the spans that ended. */
export function collectSpans(): ServerSpan[] {
  const spans: ServerSpan[] = [];
  const sampler = new ParentBasedSampler({ root: new AlwaysOnSampler() });
  setTracing({
    sampler,
    enabled: true,
    onEnd: (span) => spans.push(span),
    onClientEnd: () => undefined,
    onJobEnd: () => undefined,
  });
  return spans;
}

/** What a HEAD request is answered with. */
export async function head(url: string, headers: Record<string, string> = {}) {
  const answer = await fetch(url, { method: 'HEAD', headers });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}
