import http from 'node:http';

/** A function that the SDK must have wrapped, or nothing of its package is traced. */
export type Instrumented = { package: string; function: unknown };

/** Whether a function is wrapped by an OpenTelemetry instrumentation: it keeps the original at hand. */
function isWrapped(fn: unknown): boolean {
  return typeof fn === 'function' && typeof (fn as { __original?: unknown }).__original === 'function';
}

/**
 * Names the packages that should be instrumented and are not, because they were loaded before the SDK or in a way that
 * it does not see. Empty when all is well, and when the SDK is disabled.
 */
export function findUninstrumented(stores: readonly Instrumented[]): string[] {
  if (process.env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return [];
  return [{ package: 'http', function: http.request }, ...stores]
    .filter((candidate) => !isWrapped(candidate.function))
    .map((candidate) => candidate.package);
}
