import { flat } from './escape.ts';
import { quoteUntrusted } from './text-cache.ts';

const METHOD_LIMIT = 32;
const ROUTE_LIMIT = 1_024;
const MOST_KNOWN = 2_000;

/** What all lines of one route, method and status have in common. */
export interface RouteParts {
  /** The message as far as the duration, without its opening quote. */
  readonly message: string;
  /** `extra` as far as the duration. */
  readonly extra: string;
}

const known = new Map<string, Map<string, Map<number, RouteParts>>>();
let size = 0;

function make(method: string, route: string, status: number): RouteParts {
  const quotedMethod = quoteUntrusted(method, METHOD_LIMIT);
  const quotedRoute = quoteUntrusted(route, ROUTE_LIMIT);
  return {
    message: flat(`${quotedMethod.slice(1, -1)} ${quotedRoute.slice(1, -1)} ${status} `),
    extra: flat(`,"extra":{"method":${quotedMethod},"route":${quotedRoute},"status":${status},"duration_ms":`),
  };
}

/** Escaped and redacted once for every route, method and status; forgets all when it knows too many. */
export function routeParts(method: string, route: string, status: number): RouteParts {
  const found = known.get(route)?.get(method)?.get(status);
  if (found !== undefined) return found;
  const parts = make(method, route, status);
  if (route.length > ROUTE_LIMIT || method.length > METHOD_LIMIT) return parts;
  if (++size > MOST_KNOWN) {
    known.clear();
    size = 1;
  }
  const methods = known.get(route) ?? new Map<string, Map<number, RouteParts>>();
  const statuses = methods.get(method) ?? new Map<number, RouteParts>();
  known.set(route, methods.set(method, statuses.set(status, parts)));
  return parts;
}
