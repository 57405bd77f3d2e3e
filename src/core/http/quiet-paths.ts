/**
 * Whether a path is one of health or metrics, which are counted nowhere: no span, no metric, no access line above DEBUG.
 * Decided before routing, since a span has to begin before it.
 */
export function isQuietPath(path: string): boolean {
  return path.startsWith('/health') ? QUIET_HEALTH.has(path) : path === '/metrics' || path.startsWith('/metrics/');
}

const QUIET_HEALTH = new Set(['/health', '/health/live', '/health/ready']);
