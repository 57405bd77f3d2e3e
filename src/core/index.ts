/** What domains may import from the core; everything else in it may change without notice. */

export { type PoolFigures, updateSystemMetrics } from './background/system-metrics.ts';
export { type BackgroundTasks, globalBackgroundTasks, type PeriodicTask } from './background/tasks.ts';
export { trackBackgroundJob } from './background/track-background-job.ts';
export { WakeUp } from './background/wake-up.ts';
export { getSettings, type Settings } from './config/index.ts';
export { requestIdCtx, userIdCtx } from './context.ts';
export * from './errors/app-http-error.ts';
export {
  authenticate,
  getCurrentUserSession,
  getCurrentUserSessionWs,
  type Principal,
  type SessionLookup,
} from './http/authenticate.ts';
export { DeviceType, getDeviceInfo, SessionDeviceInfo } from './http/device-info.ts';
export { BaseDTO, requireDto } from './http/dto.ts';
export { registerExceptionHandlers } from './http/exception-handlers.ts';
export {
  createHttpClient,
  type HttpClient,
  type HttpClientOptions,
  type HttpClientRequest,
} from './http/http-client.ts';
export { IdParams } from './http/id-params.ts';
export { addMiddlewares } from './http/onion.ts';
export { Cursors, type Page, PageQuery } from './http/page.ts';
export { requireRoles } from './http/require-roles.ts';
export { getResponseFactory, ResponseFactory } from './http/response.ts';
export { type Route, type RouteContext, route } from './http/route.ts';
export type { AccountRule, RouteLimits } from './http/route-limits.ts';
export { initiateRouters } from './http/router.ts';
export { type Static, Type } from './http/type.ts';
export { getLogger, type Logger, stopLogger } from './logging/index.ts';
export { type Mail, MailError, type Mailer } from './mail/mailer.ts';
export { isSameNetwork, networkOf } from './security/limits/network.ts';
export type { LimitRule } from './security/limits/policy.ts';
export { RateLimiter } from './security/limits/rate-limiter.ts';
export { PasswordSecurity } from './security/passwords.ts';
export { InvalidTokenError, JwtService, type TokenClaims, type TokenIdentity } from './security/tokens.ts';
export * from './telemetry/metrics/metrics.ts';
export { prometheus } from './telemetry/metrics/prometheus.ts';
